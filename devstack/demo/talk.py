"""Chat messages of demo people: short lines that follow one another well enough."""

from collections.abc import Iterator
from random import Random

OPENINGS = (
    "Hi! How was your {day}?",
    "Are you free on {day}?",
    "Did you see the photos from {place}?",
    "I just got back from {place}.",
    "Quick question about {day}.",
    "Guess who I met in {place}!",
    "Still up for {thing} on {day}?",
    "I found the book you told me about.",
    "Happy birthday! 🎉",
    "The train is late again, of course.",
)
ANSWERS = (
    "Yes, very much.",
    "Not yet, but I will.",
    "Ha, that sounds like you.",
    "{day} works for me.",
    "I'd rather go to {place}.",
    "Let me check and tell you tonight.",
    "Good idea 👍",
    "No signal there, so you'll get this late.",
    "Sorry, I was on the underground.",
    "Tell me more!",
    "And how is everybody at home?",
    "I'll bring the {thing} things.",
    "Can we make it an hour later?",
    "Only if it doesn't rain.",
    "I was just going to write the same.",
    "The ferry leaves at nine, don't be late.",
    "You won't believe it, but it worked at the first try.",
    "I had to read that twice. Brilliant.",
    "Same here. {place} can wait.",
    "That is the third time this week!",
    "I've put it on the shared list, so you have it offline too.",
    "Thanks, that helps a lot. I spent the whole {day} on it and could not see what was wrong.",
    "There's a small café behind the harbour in {place}; we could meet there and walk on along the water.",
)
CLOSINGS = (
    "See you on {day}!",
    "Good night 🌙",
    "Talk soon.",
    "Safe travels!",
    "Done ✔",
    "Until {day}, then.",
)
PLACES = ("Lisbon", "Rügen", "Oslo", "Kyoto", "Bristol", "Ghent", "Valparaíso", "Tartu", "Hobart", "Porto")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THINGS = ("sailing", "climbing", "chess", "the concert", "dinner", "swimming", "pottery")
LONGEST_TALK = 14


def talk(rng: Random, count: int) -> Iterator[tuple[int, str, bool]]:
    """`count` lines: index of the speaker, text, and true if a conversation begins with it."""
    left, who = 0, rng.randrange(2)
    for _ in range(count):
        begins = left == 0
        if begins:
            left, who = rng.randrange(2, LONGEST_TALK), rng.randrange(2)
            lines: tuple[str, ...] = OPENINGS
        else:
            lines = CLOSINGS if left == 1 else ANSWERS
        yield who, _line(lines, rng), begins
        left -= 1
        who = who if rng.random() < 0.25 else 1 - who


def _line(lines: tuple[str, ...], rng: Random) -> str:
    return rng.choice(lines).format(place=rng.choice(PLACES), day=rng.choice(DAYS), thing=rng.choice(THINGS))
