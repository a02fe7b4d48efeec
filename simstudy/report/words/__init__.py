"""What a report says, in sentences made from the numbers."""
