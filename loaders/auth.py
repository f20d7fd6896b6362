"""People by id."""

from core.storage.loader import by_id
from stores.auth import users

UserById = by_id(users)
