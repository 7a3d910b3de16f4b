"""The tested code behind the course “Generative Vision, Hands On”.

Importing `companion` costs nothing: each module imports torch only when you import that module.
"""

__version__ = "0.1.0"
