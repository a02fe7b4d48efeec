"""A run as a research object: what is published of it, and how another machine checks that."""
