"""The reference, written from the code that it is about: a module a page."""
