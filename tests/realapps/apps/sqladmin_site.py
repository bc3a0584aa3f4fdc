"""SQLAdmin over Starlette, with the login of its documentation: a session that holds a user's id."""

from sqladmin import Admin, ModelView
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.applications import Starlette

SECRET = "a secret of the session, 32 bytes long"
engine = create_engine("sqlite:///data.db")
app = Starlette()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    password: Mapped[str]
    email_verified: Mapped[bool] = mapped_column(default=True)


class UserAdmin(ModelView, model=User):
    column_list = [User.id, User.email]


class Login(AuthenticationBackend):
    async def login(self, request):
        form = await request.form()
        with Session(engine) as db:
            user = db.scalar(select(User).where(User.email == form["username"]))
        if user is None or user.password != form["password"]:
            return False
        request.session["user_id"] = user.id
        return True

    async def logout(self, request):
        request.session.clear()
        return True

    async def authenticate(self, request):
        return "user_id" in request.session


def make_admin(login):
    Admin(app, engine, authentication_backend=login).add_view(UserAdmin)


if __name__ == "__main__":
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(email="jane@example.com", password="secret"))
        session.commit()
