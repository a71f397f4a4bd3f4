"""Hot reads: each is one statement whose JSON goes out as it is.

Measured on the design's machine, a course of 50 lessons costs seven times
as much through the ORM. `schemas.py` describes what comes out, and the tests
compare the two.
"""

from sqlalchemy import text

from courses_service.datetimes import moment

_COURSE = f"""
    'id', c.id, 'slug', c.slug, 'title', c.title, 'description', c.description, 'language', c.language,
    'instructor_id', c.instructor_id, 'status', c.status, 'version', c.version,
    'created_at', {moment("c.created_at")}, 'updated_at', {moment("c.updated_at")}
"""

DETAIL = text(
    f"""
    SELECT json_build_object({_COURSE},
        'sections', (SELECT count(*) FROM sections s WHERE s.course_id = c.id),
        'lessons', (SELECT count(*) FROM lessons l WHERE l.course_id = c.id),
        'quizzes', (SELECT count(*) FROM quizzes q JOIN lessons l ON l.id = q.lesson_id
                    WHERE l.course_id = c.id)
    )::text
    FROM courses c WHERE c.id = :course_id
    """  # noqa: S608 -- put together from constants
)

OUTLINE = text(
    """
    SELECT json_build_object('course_id', c.id, 'version', c.version, 'title', c.title, 'sections', (
        SELECT coalesce(json_agg(json_build_object('id', s.id, 'title', s.title, 'lessons', (
            SELECT coalesce(json_agg(json_build_object(
                'id', l.id, 'position', l.position, 'title', l.title, 'subsection', l.subsection,
                'quizzes', (SELECT count(*) FROM quizzes q WHERE q.lesson_id = l.id)
            ) ORDER BY l.position), '[]')
            FROM lessons l WHERE l.section_id = s.id
        )) ORDER BY s.position), '[]')
        FROM sections s WHERE s.course_id = c.id
    ))::text
    FROM courses c WHERE c.id = :course_id
    """
)

PAGE = text(
    f"""
    SELECT json_build_object(
        'items', coalesce(json_agg(json_build_object({_COURSE}) ORDER BY c.id), '[]'),
        'next_cursor', CAST(:next_cursor AS text)
    )::text
    FROM courses c WHERE c.id = ANY(CAST(:ids AS uuid[]))
    """  # noqa: S608 -- put together from constants
)
