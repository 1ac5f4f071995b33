import sys

from firmware.programs import run_program


def test_exit_code_and_words_of_a_program_that_ran_and_of_one_that_could_not() -> None:
    assert run_program((sys.executable, "-c", "import sys; sys.exit('no')"), 30.0) == (1, "no\n")
    assert run_program((sys.executable, "-c", "print('yes')"), 30.0) == (0, "yes\n")
    assert run_program(("/nowhere/at-all",), 1.0) == (-1, "/nowhere/at-all: FileNotFoundError")
