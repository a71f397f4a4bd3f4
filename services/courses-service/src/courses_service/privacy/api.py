"""What a learner did here, in numbers."""

from fastapi import APIRouter
from sqlalchemy import func, select

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.tables import Enrollment, UserProgress

router = APIRouter(tags=["activity"])


class LearningActivity(ResponseBody):
    """`courses` enrolled in, `lessons` completed."""

    courses: int
    lessons: int


@router.get("/api/courses/activity")
def activity(user: CurrentUser, session: DatabaseSession) -> LearningActivity:
    """How much the caller has been learning."""
    courses = select(func.count()).where(Enrollment.user_id == user.id).scalar_subquery()
    lessons = select(func.count()).where(UserProgress.user_id == user.id).scalar_subquery()
    row = session.execute(select(courses, lessons)).one()
    return LearningActivity(courses=row[0], lessons=row[1])
