"""Courses and what is in them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "courses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("instructor_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_courses_status")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_courses_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("slug", name=op.f("uq_courses_slug")),
        schema="courses",
    )
    op.create_index(
        op.f("ix_courses_instructor_id"), "courses", ["instructor_id"], unique=False, schema="courses"
    )
    op.create_index(
        "ix_courses_published",
        "courses",
        ["id"],
        unique=False,
        schema="courses",
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "sections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_sections_position")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.courses.id"], name=op.f("fk_sections_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("course_id", "position", name=op.f("uq_sections_course_id_position")),
        sa.UniqueConstraint("id", "course_id", name=op.f("uq_sections_id_course_id")),
        schema="courses",
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subsection", sa.Text(), server_default="", nullable=False),
        sa.Column("html", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_lessons_position")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.courses.id"], name=op.f("fk_lessons_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["section_id", "course_id"],
            ["courses.sections.id", "courses.sections.course_id"],
            name=op.f("fk_lessons_section_id_course_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("course_id", "position", name=op.f("uq_lessons_course_id_position")),
        schema="courses",
    )
    op.create_index(
        op.f("ix_lessons_section_id_course_id"),
        "lessons",
        ["section_id", "course_id"],
        unique=False,
        schema="courses",
    )
    op.create_table(
        "quizzes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_quizzes_position")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["courses.lessons.id"], name=op.f("fk_quizzes_lesson_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes")),
        sa.UniqueConstraint("lesson_id", "position", name=op.f("uq_quizzes_lesson_id_position")),
        schema="courses",
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quiz_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('single', 'multiple')", name=op.f("ck_questions_kind")),
        sa.CheckConstraint("position >= 1", name=op.f("ck_questions_position")),
        sa.ForeignKeyConstraint(
            ["quiz_id"], ["courses.quizzes.id"], name=op.f("fk_questions_quiz_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint("quiz_id", "position", name=op.f("uq_questions_quiz_id_position")),
        schema="courses",
    )
    op.create_table(
        "choices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("is_correct", sa.Boolean(), nullable=False),
        sa.Column("feedback", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_choices_position")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["courses.questions.id"], name=op.f("fk_choices_question_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choices")),
        sa.UniqueConstraint("question_id", "position", name=op.f("uq_choices_question_id_position")),
        schema="courses",
    )


def downgrade() -> None:
    for table in (
        "choices",
        "questions",
        "quizzes",
        "lessons",
        "sections",
        "courses",
    ):
        op.drop_table(table, schema="courses")
