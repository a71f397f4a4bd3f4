"""Password hashes with production parameters; the other tests use cheap ones."""

import subprocess
import sys


def run(code: str) -> str:
    program = f"from users_service.password_hashing import hash_password, verify_password\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_a_hash_is_argon2id_with_at_least_owasp_parameters():
    parameters = run("print(hash_password('correct horse battery'))").split("$")[3]
    cost = dict(part.split("=") for part in parameters.split(","))
    assert int(cost["m"]) >= 19 * 1024
    assert int(cost["t"]) >= 2


def test_the_installed_bcrypt_works_with_passlib():
    """With bcrypt 4.1 and later every hash fails in passlib 1.7."""
    made = "bcrypt.using(rounds=4).hash('sesame')"
    check = f"from passlib.hash import bcrypt\nprint(verify_password('sesame', {made})[0])"
    assert run(check).strip() == "True"
