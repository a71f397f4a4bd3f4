"""The tutor's index of lessons."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "course_indexes",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_indexes")),
        schema="chat",
    )
    op.create_table(
        "lesson_chunks",
        sa.Column("chunk_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_title", sa.String(), nullable=False),
        sa.Column("passage", sa.String(), nullable=False),
        sa.Column("embedding", Vector(256), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed("to_tsvector('english', lesson_title || ' ' || passage)", persisted=True),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["chat.course_indexes.course_id"],
            name=op.f("fk_lesson_chunks_course_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_lesson_chunks")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_lesson_chunks_course_id_number")),
        schema="chat",
    )


def downgrade() -> None:
    for table in ("lesson_chunks", "course_indexes"):
        op.drop_table(table, schema="chat")
