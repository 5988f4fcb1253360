"""Machine code of kernels: what it is called with, what it gives, and that it does without the compiler."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from turbo_trader.market.compiled import Kernel, kernel
from turbo_trader.market.compiling import machine_code
from turbo_trader.market.kinds import fits, kind, plain_kinds
from turbo_trader.market.machine_code import MachineCode
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import ROW, record_dtype

if not hasattr(kernel(lambda: None), "ready"):
    pytest.skip("kernels are plain Python (NUMBA_DISABLE_JIT)", allow_module_level=True)

OTHER = record_dtype([("a", "<i8"), ("b", "<f8"), ("c", "<f8")])


@kernel
def half(values: Any, i: int) -> tuple[float, int]:
    return values[i] / 2, i


@kernel
def half_of_two(values: Any, i: int) -> float:
    return half(values, i)[0] + half(values, i + 1)[0]


@kernel
def ratio(a: float, b: float) -> float:
    return a / b


class Limits(NamedTuple):
    low: float
    high: float


@kernel
def within(value: float, limits: Limits) -> bool:
    return limits.low < value < limits.high


@kernel
def fresh(n: int) -> Any:
    return np.zeros(n)


def test_a_kernel_gives_what_python_gives() -> None:
    values = np.array([1.0, 2.0, 4.0])
    assert half_of_two(values, 1) == half_of_two.py_func(values, 1) == 3.0  # type: ignore[attr-defined]
    assert half(values, 2) == (2.0, 2)


def test_a_kernel_takes_a_tuple_with_names_as_another_kind_than_a_plain_one() -> None:
    limits = Limits(1.0, 3.0)
    assert within(2.0, limits)
    assert not within(4.0, limits)
    assert kind(limits) != kind(tuple(limits))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6.0)[::2],
        np.arange(3),
        np.arange(3, dtype=np.float32),
        np.asfortranarray(np.ones((2, 3)))[:, 1],
    ],
    ids=["strided", "integers", "short floats", "a column"],
)
def test_arguments_of_another_kind_are_another_kernel(values: Any) -> None:
    whole = np.array([1.0, 2.0, 4.0])
    assert half(whole, 1) == (1.0, 1)
    assert half(values, 1)[0] == values[1] / 2
    assert half(whole, 1) == (1.0, 1)


def test_what_cannot_be_written_is_not_written_to() -> None:
    @kernel
    def put(values: Any) -> None:
        values[0] = 1.0

    values = np.zeros(1)
    put(values)
    assert values[0] == 1.0
    values.flags.writeable = False
    with pytest.raises(Exception, match="readonly"):
        put(values)


def test_an_array_of_another_record_of_the_same_size_is_not_taken_for_it() -> None:
    @kernel
    def first(rows: Any) -> float:
        return float(rows[0].a)

    assert OTHER.itemsize == ROW.itemsize == 24
    plain = plain_kinds((np.zeros(1, ROW),))
    assert plain is not None
    assert fits(plain, (np.zeros(9, ROW),))
    assert not fits(plain, (np.zeros(1, OTHER),))
    assert not fits(plain, (np.zeros(4, ROW)[::2],))
    assert not fits(plain, (np.zeros((1, 1), ROW),))
    assert kind(np.zeros(1, ROW)) != kind(np.zeros(1, OTHER))
    rows = np.zeros(1, OTHER)
    rows["a"] = 7
    assert first(rows) == 7.0
    with pytest.raises(Exception, match="'a'"):
        first(np.zeros(1, ROW))


def test_errors_are_those_of_python() -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        ratio(1.0, 0.0)
    assert ratio(1.0, 2.0) == 0.5


def test_what_a_kernel_allocates_outlives_it() -> None:
    made = [fresh(1_000) for _ in range(100)]
    assert [each.sum() for each in made] == [0.0] * 100


@pytest.mark.parametrize(("value", "equal"), [(1, True), (1.0, False), (True, False), ("1", False)])
def test_a_number_fits_only_its_own_kind(value: object, equal: bool) -> None:
    plain = plain_kinds((1,))
    assert plain is not None
    assert fits(plain, (value,)) is equal


def test_numbers_of_numpy_are_of_the_same_kind_as_python_s() -> None:
    assert [kind(each) for each in (np.int64(1), np.float64(1.0), np.bool_(True))] == [
        "int64",
        "float64",
        "bool",
    ]
    assert [kind(each) for each in (1, 1.0, True)] == ["int64", "float64", "bool"]
    assert plain_kinds((np.float64(1.0),)) is None


def test_a_number_of_an_enumeration_is_a_number() -> None:
    values = np.array([1.0, 2.0])
    assert half(values, Side.BUY) == half(values, 1) == (1.0, 1)
    assert kind(Side.BUY) == "int64"


def test_what_is_no_number_and_no_array_is_refused() -> None:
    with pytest.raises(TypeError, match="a kernel takes no str"):
        ratio("1", 2.0)  # type: ignore[arg-type]


def test_a_torn_file_is_passed_over(tmp_path: Path) -> None:
    whole = MachineCode(object_code=b"code", wrapper="w", environments={"e": [1]})
    good, torn = tmp_path / "good.kernel", tmp_path / "torn.kernel"
    whole.write(good)
    torn.write_bytes(good.read_bytes()[:-3])
    assert MachineCode.read([tmp_path / "none.kernel", torn, good]) == whole
    assert MachineCode.read([torn]) is None


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    MachineCode(object_code=b"", wrapper="", environments={}).write(tmp_path / "file" / "x.kernel")
    assert MachineCode.read([tmp_path / "file" / "x.kernel"]) is None
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_kernel_that_is_kept_runs_without_the_compiler_and_beside_it() -> None:
    code = """
import sys
from turbo_trader.signals.passage import normal
kept = normal(0.5)
assert "numba" not in sys.modules, "the compiler was imported"
from numba import njit
assert njit(lambda x: x / 2)(3.0) == 1.5
print(kept == normal(0.5))
"""
    normal: Callable[[float], float]
    from turbo_trader.signals.passage import normal

    normal(0.5)  # compiled by now
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_kernel_of_no_file_is_kept_nowhere() -> None:
    space: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", space)
    made = Kernel(space["double"])
    assert made.files(1.0) == []
    assert made(2.0) == 4.0


@kernel
def behind(values: Any, i: int) -> Any:
    return values[i:]


@kernel
def sum_behind(values: Any, i: int) -> float:
    total = 0.0
    for each in behind(values, i):
        total += each
    return total


@kernel
def greatest_of_sorted(values: Any) -> float:
    return np.sort(values)[-1]  # type: ignore[no-any-return]


@pytest.mark.parametrize("call", [lambda v: sum_behind(v, 1), greatest_of_sorted, lambda v: behind(v, 1)])
def test_a_kernel_holds_its_arrays_no_longer_than_it_works(call: Callable[[Any], Any]) -> None:
    values = np.array([1.0, 4.0, 2.0])
    call(values)  # it is compiled
    gc.collect()
    before = sys.getrefcount(values)
    for _ in range(100):
        call(values)
    assert sys.getrefcount(values) == before


def test_what_a_kernel_returns_of_an_array_is_that_part_of_it() -> None:
    values = np.array([1.0, 4.0, 2.0])
    part = behind(values, 1)
    del values
    assert part.tolist() == [4.0, 2.0]
    assert sum_behind(part, 1) == 2.0
    assert greatest_of_sorted(part) == 4.0


@pytest.mark.parametrize(
    ("one", "arguments", "counts"),
    [(half_of_two, 2, False), (sum_behind, 2, True), (greatest_of_sorted, 1, True), (behind, 2, True)],
)
def test_only_a_kernel_that_makes_arrays_counts_references(one: Any, arguments: int, counts: bool) -> None:
    given = (np.array([1.0, 4.0, 2.0]), 1)[:arguments]
    code = machine_code(one.py_func, given)
    assert any(name in code.object_code for name in (b"NRT_incref", b"NRT_decref")) is counts
