"""Results come in the order of the tasks, whatever the number of processes."""

import pytest

from pipeline.synthetic.processes import run_in_processes


@pytest.mark.parametrize("n_processes", [1, 3])
def test_results_are_in_the_order_of_the_tasks(n_processes):
    tasks = [(i, 3) for i in range(5)]
    assert run_in_processes(divmod, tasks, "dividing", "task", n_processes) == [divmod(*task) for task in tasks]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_error_in_a_task_is_raised(n_processes):
    with pytest.raises(ZeroDivisionError):
        run_in_processes(divmod, [(1, 1), (1, 0)], "dividing", "task", n_processes)
