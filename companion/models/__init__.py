"""The networks of the course, one module each, each opening with the paper it follows."""
