"""Demo content: people, what they write, whom they follow and their pictures; the same for the same seed."""

from devstack.demo.graph import follows
from devstack.demo.images import Image, write_avatars, write_images
from devstack.demo.people import Person, people
from devstack.demo.talk import talk
from devstack.demo.texts import comment_text, post_text

__all__ = [
    "Image",
    "Person",
    "comment_text",
    "follows",
    "people",
    "post_text",
    "talk",
    "write_avatars",
    "write_images",
]
