"""FastAPI Users with SQLAlchemy, a cookie and a JWT, as in its documentation."""

import asyncio
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from fastapi_users import BaseUserManager, FastAPIUsers, IntegerIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTable, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET = "a secret of the token, 32 bytes long"
engine = create_async_engine("sqlite+aiosqlite:///data.db")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTable[int], Base):
    id: Mapped[int] = mapped_column(primary_key=True)


class UserManager(IntegerIDMixin, BaseUserManager[User, int]):
    pass


async def get_user_manager():
    async with sessions() as session:
        yield UserManager(SQLAlchemyUserDatabase(session, User))


def get_strategy():
    return JWTStrategy(secret=SECRET, lifetime_seconds=3600)


transport = CookieTransport(cookie_secure=False)
backend = AuthenticationBackend(name="jwt", transport=transport, get_strategy=get_strategy)
users = FastAPIUsers(get_user_manager, [backend])
app = FastAPI()
app.include_router(users.get_auth_router(backend), prefix="/auth")


@app.get("/login", response_class=HTMLResponse)
async def login_page():
    # The page's script posts the form, and then goes to `next`.
    return '<form action="auth/login"><input name="username"><input name="password"></form>'


@app.get("/")
async def start(user=Depends(users.current_user(optional=True))):
    return {"hello": user and user.email}


async def set_up():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with asynccontextmanager(get_user_manager)() as manager:
        new = schemas.BaseUserCreate(email="jane@example.com", password="secret", is_verified=True)
        await manager.create(new)


if __name__ == "__main__":
    asyncio.run(set_up())
