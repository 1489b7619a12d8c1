import pytest
import torch

from harness.compute.streams import stream
from harness.measure.krylov import KrylovSpace
from harness.measure.runs import Runs


def symmetric(*eigenvalues, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = len(eigenvalues)
    basis = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))[0]
    return basis @ torch.diag(torch.tensor(eigenvalues).double()) @ basis.T


def runs(matrix, name="runs", room=None, paid=None):
    def product(vector):
        if paid is not None:
            paid.append(1)
        return matrix @ vector

    def begin(run):
        return KrylovSpace(product, len(matrix), stream(run, name), room=room)

    return Runs(begin(0), begin)


SPECTRUM = [30.0, 12.0, 5.0, -3.0, *[(n - 20) / 40 for n in range(36)]]


@pytest.mark.parametrize("run", [0, 3])
@pytest.mark.parametrize("room", [None, 3])
def test_a_run_has_the_moments_of_its_vector_up_to_2m_minus_1(run, room):
    matrix = symmetric(*SPECTRUM)
    found = runs(matrix, room=room)
    vector = found.begin(run).start()
    nodes, weights = found.density(4, run)
    assert float(weights.sum()) == pytest.approx(1)
    for power in range(8):
        exact = vector @ torch.linalg.matrix_power(matrix, power) @ vector
        assert float((weights * nodes**power).sum()) == pytest.approx(float(exact), rel=1e-8)


def test_a_run_through_the_whole_space_finds_the_spectrum_exactly():
    matrix = symmetric(*SPECTRUM)
    nodes, weights = runs(matrix).density(80, 0)
    torch.testing.assert_close(nodes, torch.linalg.eigvalsh(matrix))
    assert len(nodes) == 40
    assert float(weights.sum()) == pytest.approx(1)


def test_the_identity_is_one_node_after_one_product():
    paid = []
    nodes, weights = runs(torch.eye(50).double(), paid=paid).density(80, 0)
    assert nodes.tolist() == pytest.approx([1.0])
    assert weights.tolist() == pytest.approx([1.0])
    assert len(paid) == 1


def test_two_clusters_have_half_of_the_mass_each():
    matrix = symmetric(*[0.0] * 30, *[2.0] * 30)
    found = runs(matrix)
    masses = torch.stack([found.density(10, run)[1] for run in range(400)])
    spread = masses.std(0) / 20
    assert bool(((masses.mean(0) - 0.5).abs() < 4 * spread).all())


@pytest.mark.parametrize("sketch", [0, 3, 12])
def test_trace_samples_are_unbiased_and_their_spread_is_known(sketch):
    matrix = symmetric(*SPECTRUM)
    samples = torch.cat([runs(matrix, f"{n}").trace_samples(50, sketch) for n in range(40)])
    error = samples.mean() - matrix.trace()
    assert abs(error) < 4 * samples.std() / len(samples) ** 0.5
    if sketch == 0:
        size = len(matrix)
        variance = 2 * ((matrix**2).sum() - matrix.trace() ** 2 / size) * size / (size + 2)
        assert float(samples.var()) == pytest.approx(float(variance), rel=0.15)


def test_a_sketch_takes_away_what_large_eigenvalues_add_to_the_spread():
    matrix = symmetric(*SPECTRUM)
    plain, split = (runs(matrix).trace_samples(200, sketch).std() for sketch in (0, 12))
    assert split < plain / 5


@pytest.mark.parametrize("spectrum", [[5.0, 5.0, 5.0, 2.0, 2.0, 1.0] * 5, [0.0] * 30, [7.0] * 30])
def test_a_sketch_of_several_segments_splits_the_trace_too(spectrum):
    matrix = symmetric(*spectrum)
    for sketch in (4, 29, 30, 90):
        samples = torch.cat([runs(matrix, f"{n}").trace_samples(20, sketch) for n in range(10)])
        error = abs(samples.mean() - matrix.trace())
        assert error <= 4 * samples.std() / len(samples) ** 0.5 + 1e-9


def test_a_sketch_of_everything_is_the_trace():
    matrix = symmetric(*SPECTRUM)
    assert runs(matrix).trace_samples(3, 40).tolist() == pytest.approx([float(matrix.trace())] * 3)


def test_samples_density_and_eigenvalues_share_their_products():
    paid = []
    found = runs(symmetric(*SPECTRUM), paid=paid)
    found.density(10, 0)
    assert len(paid) == 10
    first = found.trace_samples(4, 0)
    assert len(paid) == 13
    found.trace_samples(4, 10)
    assert len(paid) == 14
    found.main.top(1, by="magnitude", tolerance=1e-3, products=10)
    assert len(paid) == 14
    assert torch.equal(found.trace_samples(4, 0), first)


def test_what_a_run_tells_does_not_depend_on_what_was_asked_before():
    matrix = symmetric(*SPECTRUM)
    asked, fresh = runs(matrix), runs(matrix)
    asked.density(20, 1)
    asked.density(30, 0)
    for left, right in zip(asked.density(7, 1), fresh.density(7, 1), strict=True):
        assert torch.equal(left, right)
    assert torch.equal(asked.trace_samples(5, 6), fresh.trace_samples(5, 6))


def test_an_operator_that_is_not_finite_has_no_density_and_no_trace():
    found = runs(torch.full((5, 5), float("nan")).double())
    assert found.density(3, 0)[0].isnan().all()
    assert found.density(3, 1)[0].isnan().all()
    assert found.trace_samples(2, 0).isnan().all()
    assert found.trace_samples(2, 2).isnan().all()
