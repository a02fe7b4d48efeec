"""What is asked: a study, from its file to scenarios and methods, validated."""
