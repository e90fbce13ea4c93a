"""beartype as the tests use it: an int is a float, as for mypy."""

from beartype import BeartypeConf, beartype

check_types = beartype(conf=BeartypeConf(is_pep484_tower=True))
