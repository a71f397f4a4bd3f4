"""Errors of the authoring feature."""

from chat_service.programs.authoring.validation_report import ValidationReport
from cogniflow_kit.errors import Conflict, FieldProblem, Forbidden, NotFound, Unprocessable


class VersionNotFound(NotFound):
    code = "version_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such version of this program.")


class LabelNotFound(NotFound):
    code = "label_not_found"

    def __init__(self) -> None:
        super().__init__("This program has no such label.")


class ExperimentNotFound(NotFound):
    code = "experiment_not_found"

    def __init__(self) -> None:
        super().__init__("This program has no such experiment.")


class InvalidProgramRefused(Unprocessable):
    code = "program_not_sound"

    def __init__(self, report: ValidationReport) -> None:
        errors = [
            FieldProblem(field=problem.place, code=self.code, message=problem.message)
            for problem in report.problems
        ]
        count = len(errors) + report.more
        super().__init__(f"The program has {count} problems; `errors` names their places.", errors=errors)


class OtherSlug(Unprocessable):
    code = "other_slug"

    def __init__(self, slug: str) -> None:
        super().__init__(f"This is the program {slug}; publish it under its own address.")


class ProtectedLabel(Forbidden):
    code = "label_protected"

    def __init__(self) -> None:
        super().__init__("Only admins move this label: what it points at is what people begin.")


class NoEarlierVersion(Conflict):
    code = "nothing_before"

    def __init__(self) -> None:
        super().__init__("The label pointed at no other version before that.")


class LabelInExperiment(Conflict):
    code = "label_in_experiment"

    def __init__(self) -> None:
        super().__init__("An experiment runs on this label; stop it first.")


class ExperimentRunning(Conflict):
    code = "experiment_running"

    def __init__(self) -> None:
        super().__init__("Another experiment runs on this label; stop it first.")
