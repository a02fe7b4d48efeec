"""What a report reads from tables before it draws or says anything."""
