"""The application, the GraphQL endpoint, and the command line."""

VERSION = "0.1.0"
