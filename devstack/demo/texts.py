"""Texts of demo posts and comments, put together from sentences with gaps."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from random import Random
from typing import NamedTuple, TypeVar

from devstack.demo.words import SUBJECT, Sentence, Topic, common, topics

SHORTEST, LONGEST = 20, 1200
PARAGRAPH = 4
HASHTAGS = 0.15

T = TypeVar("T")


class About(NamedTuple):
    """Topic and subject of a post, as far as a reader can tell."""

    topic: Topic
    subject: str


def post_text(rng: Random) -> str:
    """A post of 20 to 1200 characters; most are short."""
    topic = _pick(_weighted_topics(), rng)
    wanted = rng.lognormvariate(4.8, 0.85)
    sentences = _sentences(topic, wanted, rng)
    text = _joined(sentences, rng)
    if topic.subjects and rng.random() < HASHTAGS:
        text += f"\n\n#{_pick(topic.subjects, rng).lower()}"
    return text


def comment_text(rng: Random, about: str) -> str:
    """A comment on the post `about`, in its language and on its topic where that can be told."""
    topic, subject = _about(about)
    own = topic.replies and (topic.elsewhere or rng.random() < 0.5)
    text = _reply(topic if own else common(), subject, rng)
    if not topic.elsewhere and rng.random() < 0.4:
        text += " " + _reply(common(), subject, rng)
    return text


@cache
def _weighted_topics() -> tuple[Topic, ...]:
    # One post in twenty in another language.
    return tuple(topic for topic in topics() for _ in range(1 if topic.elsewhere else 10))


def _sentences(topic: Topic, wanted: float, rng: Random) -> list[str]:
    said = [_say(_pick(topic.first, rng), rng)]
    length = len(said[0])
    for sentence in _continuation(topic, wanted, rng):
        if length >= max(wanted, SHORTEST):
            break
        said.append(_say(sentence, rng))
        length += len(said[-1]) + 2
    if topic.last and length < wanted * 1.3:
        said.append(_say(_pick(topic.last, rng), rng))
    while sum(map(len, said)) + 2 * len(said) > LONGEST - 30:
        said.pop()
    return said


def _continuation(topic: Topic, wanted: float, rng: Random) -> list[Sentence]:
    pool = topic.more if topic.elsewhere or topic is common() else topic.more + common().more
    # Never the same sentence twice; a sentence has 30 characters or more.
    return rng.sample(pool, min(len(pool), int(wanted / 30) + 1))


def _joined(sentences: Sequence[str], rng: Random) -> str:
    if len(sentences) <= PARAGRAPH:
        return ("\n" if rng.random() < 0.2 else " ").join(sentences)
    size = rng.randint(2, PARAGRAPH)
    paragraphs = [sentences[start : start + size] for start in range(0, len(sentences), size)]
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def _reply(topic: Topic, subject: str, rng: Random) -> str:
    replies = topic.replies if subject else _without_subject(topic.name)
    return _say(_pick(replies, rng), rng).replace(SUBJECT, subject)


@cache
def _without_subject(name: str) -> tuple[Sentence, ...]:
    topic = next(topic for topic in topics() if topic.name == name)
    return tuple(sentence for sentence in topic.replies if SUBJECT not in sentence)


@lru_cache(maxsize=1024)
def _about(text: str) -> About:
    words = re.findall(r"\w+", text)
    found = (_subjects()[word.lower()] for word in words if word.lower() in _subjects())
    return next(found, About(common(), ""))


@cache
def _subjects() -> dict[str, About]:
    # The first topic that claims a word keeps it.
    return {
        subject.lower(): About(topic, subject) for topic in reversed(topics()) for subject in topic.subjects
    }


def _say(sentence: Sentence, rng: Random) -> str:
    return "".join([part if isinstance(part, str) else _pick(part, rng) for part in sentence])


def _pick(options: Sequence[T], rng: Random) -> T:
    # Three times as fast as `rng.choice`; there are a few million picks.
    return options[int(rng.random() * len(options))]
