"""pixread reads pixels into structure: pictures of pages in, simplified HTML, text and answers out."""

__version__ = "0.1.0"
