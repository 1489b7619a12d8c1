import pytest
import torch

from harness.measure.krylov import KrylovSpace


def space(matrix, dtype=torch.float64, seed=0):
    matrix = matrix.to(dtype)
    generator = torch.Generator().manual_seed(seed)
    return KrylovSpace(lambda v: matrix @ v, len(matrix), generator, dtype=dtype)


def top(matrix, count, by="magnitude", dtype=torch.float64, products=200, tolerance=1e-6):
    return space(matrix, dtype).top(count, by=by, tolerance=tolerance, products=products)


def rotated(values, seed=1):
    size = len(values)
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))[0]
    return basis @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ basis.T


def test_a_full_space_has_the_eigenvalues_of_a_dense_solver():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(40, 40, dtype=torch.float64, generator=generator)
    matrix = noise + noise.T
    exact = torch.linalg.eigvalsh(matrix)
    found = top(matrix, 40)
    assert found.converged
    torch.testing.assert_close(found.values.sort().values, exact)


def test_by_value_and_by_magnitude_are_told_apart():
    matrix = rotated([5.0, -7.0, 1.0, 0.5])
    torch.testing.assert_close(top(matrix, 2).values, torch.tensor([-7.0, 5.0]).double())
    by_value = top(matrix, 2, by="value").values
    torch.testing.assert_close(by_value, torch.tensor([5.0, 1.0]).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_eigenvalues_of_equal_size_and_opposite_sign_are_both_found_with_true_residuals(dtype):
    found = top(rotated([5.0, -5.0, 1.0, 0.5]), 2, dtype=dtype, tolerance=1e-5)
    assert found.converged
    expected = torch.tensor([-5.0, 5.0]).double()
    torch.testing.assert_close(found.values.sort().values, expected, rtol=1e-5, atol=0)
    assert found.residuals.max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_repeated_eigenvalue_makes_no_ghost(dtype):
    matrix = torch.diag(torch.tensor([5.0] + [1.0] * 99, dtype=torch.float64))
    found = top(matrix, 3, dtype=dtype, tolerance=1e-4)
    expected = torch.tensor([5.0, 1.0, 1.0]).double()
    torch.testing.assert_close(found.values, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_outlier_is_found_once_however_long_the_space_grows(dtype):
    values = [100.0, *torch.linspace(0.1, 1.0, 199).tolist()]
    krylov = space(rotated(values), dtype)
    for _ in range(100):
        krylov.extend()
    found = krylov.top(100, by="magnitude", tolerance=1.0, products=100)
    assert (found.values > 50).sum() == 1


def test_copies_of_the_largest_eigenvalue_are_found():
    found = top(torch.diag(torch.tensor([5.0, 5.0, 3.0, 3.0, 1.0]).double()), 3)
    torch.testing.assert_close(found.values, torch.tensor([5.0, 5.0, 3.0]).double())


def test_the_space_has_the_dimension_of_the_distinct_eigenvalues():
    krylov = space(rotated([4.0] * 5 + [2.0] * 5 + [-1.0] * 5))
    while not (krylov.segments and krylov.segments[0].closed):
        krylov.extend()
    assert krylov.products == 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_low_rank_plus_identity_takes_one_product_more_than_the_rank(dtype):
    matrix = rotated([31.0, 21.0, 11.0, 6.0] + [1.0] * 96)
    found = top(matrix, 4, dtype=dtype, tolerance=1e-5)
    expected = torch.tensor([31.0, 21.0, 11.0, 6.0]).double()
    torch.testing.assert_close(found.values, expected, rtol=1e-5, atol=0)
    assert found.products <= 6  # five distinct eigenvalues, and a look for second copies


def test_the_identity_has_all_its_eigenvalues():
    found = top(torch.eye(10).double(), 5)
    assert found.converged
    torch.testing.assert_close(found.values, torch.ones(5).double())


def test_a_zero_operator_has_zero_eigenvalues_and_zero_residuals():
    found = top(torch.zeros(7, 7).double(), 3)
    assert found.converged
    assert found.values.tolist() == [0, 0, 0]
    assert found.residuals.tolist() == [0, 0, 0]


def test_one_dimension_takes_one_product():
    found = top(torch.tensor([[-3.0]]).double(), 1)
    assert (found.values.tolist(), found.products, found.converged) == ([-3.0], 1, True)


def test_asking_for_more_than_there_are_gives_what_there_is():
    found = top(rotated([3.0, 2.0, 1.0]), 10)
    torch.testing.assert_close(found.values, torch.tensor([3.0, 2.0, 1.0]).double())
    assert found.converged


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_breakdown_is_relative_to_the_size_of_the_operator(scale):
    matrix = scale * rotated([9.0, 4.0] + [1.0] * 48)
    found = top(matrix, 3, dtype=torch.float32, tolerance=1e-4)
    expected = scale * torch.tensor([9.0, 4.0, 1.0]).double()
    torch.testing.assert_close(found.values, expected, rtol=1e-4, atol=0)
    assert found.products <= 6


def test_reported_residuals_are_those_of_the_eigenpairs():
    values = torch.linspace(-1, 1, 300).tolist()
    krylov = space(rotated(values))
    for _ in range(25):
        krylov.extend()
    rows = torch.stack([krylov._basis.row(n) for n in range(25)])
    small = rows @ rotated(values) @ rows.T
    exact, vectors = torch.linalg.eigh(small)
    order = exact.abs().argsort(descending=True)[:5]
    ritz = rows.T @ vectors[:, order]
    residuals = (rotated(values) @ ritz - ritz * exact[order]).norm(dim=0) / exact[order].abs()
    found = krylov.top(5, by="magnitude", tolerance=1e-12, products=25)
    torch.testing.assert_close(found.residuals, residuals, rtol=1e-6, atol=1e-10)


def test_too_few_products_say_that_they_did_not_converge():
    found = top(rotated(torch.linspace(0, 1, 200).tolist()), 5, products=8)
    assert not found.converged
    assert found.products == 8


def test_ten_times_the_spectrum_of_a_network_takes_few_products():
    bulk = (torch.rand(500, generator=torch.Generator().manual_seed(3)) * 0.2).tolist()
    found = top(rotated([20.0, 11.0, 6.0, 4.0, 3.0, *bulk]), 5, tolerance=1e-3)
    assert found.converged
    assert found.products <= 15


def test_an_operator_that_is_not_finite_gives_no_numbers():
    found = top(torch.full((4, 4), float("nan")).double(), 2)
    assert found.values.isnan().all()
    assert not found.converged


def test_growing_a_space_in_steps_changes_nothing():
    matrix = rotated(torch.linspace(-2, 3, 80).tolist())
    steps = space(matrix)
    steps.top(2, by="value", tolerance=1e-1, products=50)
    late = steps.top(3, by="value", tolerance=1e-8, products=80)
    once = space(matrix).top(3, by="value", tolerance=1e-8, products=80)
    assert torch.equal(late.values, once.values)


def test_what_is_read_does_not_depend_on_what_others_asked_before():
    matrix = rotated(torch.linspace(-2, 3, 80).tolist())
    grown = space(matrix)
    grown.top(10, by="magnitude", tolerance=1e-8, products=80)
    after = grown.top(2, by="value", tolerance=1e-1, products=6)
    alone = space(matrix).top(2, by="value", tolerance=1e-1, products=6)
    assert torch.equal(after.values, alone.values)
    assert (after.products, after.converged) == (alone.products, alone.converged)


def test_further_copies_are_looked_for_until_none_can_be_larger():
    found = top(torch.diag(torch.tensor([5.0, 5.0, 5.0, 4.0, 1.0, 1.0]).double()), 3)
    torch.testing.assert_close(found.values, torch.tensor([5.0, 5.0, 5.0]).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_basis_stays_orthonormal_to_rounding(dtype):
    matrix = rotated([5.0, 3.0] + [1.0] * 58)
    noise = torch.randn(60, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    krylov = space(matrix + 2e-14 * (noise + noise.T), dtype)  # all but invariant at once
    for _ in range(40):
        krylov.extend()
    rows = torch.stack([krylov._basis.row(n) for n in range(krylov._basis.kept)])
    unit = torch.eye(len(rows), dtype=torch.float64)
    assert (rows @ rows.T - unit).abs().max() < 1e-13


@pytest.mark.parametrize("values", [[5.0, -7.0, 1.0, 0.5], [4.0, 4.0, 4.0, 1.0, 1.0, -2.0]])
@pytest.mark.parametrize("by", ["magnitude", "value"])
def test_directions_are_orthonormal_eigenvectors_of_the_eigenvalues_in_their_order(values, by):
    matrix = rotated(values)
    here = space(matrix)
    found = here.top(3, by=by, tolerance=1e-6, products=200).values
    directions = here.directions(3, by=by, tolerance=1e-6, products=200)
    torch.testing.assert_close(directions @ directions.T, torch.eye(3).double())
    torch.testing.assert_close(directions @ matrix, found[:, None] * directions)


def test_a_matrix_that_is_not_finite_has_no_directions():
    here = space(torch.full((4, 4), float("nan")))
    assert here.directions(2, by="value", tolerance=1e-3, products=9).isnan().all()
