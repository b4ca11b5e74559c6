"""ONNX networks of other programs: the masks are those that the network means; bad files are named.

A file may come from anybody, so that each refusal has to be one line and no crash.
"""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from followme_uav import cli
from followme_uav.config import load_config
from followme_uav.errors import WeightsError
from followme_uav.messages import MaskClass
from followme_uav.perception import network_files, onnx_file, onnx_runtime
from followme_uav.perception.network_files import check_network, with_images_for
from followme_uav.perception.onnx_description import description_file
from followme_uav.perception.segmenter import Segmenter
from tests.unit.onnx_parts import CLASSES, FLOAT, KERNEL, PLAIN, network, save_network
from tests.unit.trained_networks import noise, street, write_varied_weights

PEOPLE, HERO = (15, 3), 20
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
BGR_LOGITS = f"""
classes: {{people: {list(PEOPLE)}, hero: {HERO}}}
activation: softmax
layout: nchw
channels: bgr
divide_by: 255
mean: {list(MEAN)}
std: {list(STD)}
"""


@pytest.fixture
def saved(tmp_path):
    """Write a network and its description; return its path."""

    def save(model, description=PLAIN, name="net.onnx"):
        return save_network(tmp_path / name, model, description)

    return save


def softmax(values):
    e = np.exp(values - values.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def expected_of_bgr_logits(images):
    x = (images[..., ::-1].astype(np.float32) / 255 - MEAN) / STD
    p = softmax(x @ KERNEL.T)
    people, hero = p[..., PEOPLE].sum(-1), p[..., HERO]
    return 255 * np.stack([1 - people - hero, people, hero], -1)


# Right networks


@pytest.mark.parametrize("architecture", ["model1", "model4"])
def test_exported_network_gives_the_masks_of_its_weights(architecture, tmp_path, monkeypatch):
    """`export` writes the description, so that its result flies as it is."""
    weights = write_varied_weights(architecture, tmp_path)
    exported = tmp_path / "out" / "net.onnx"
    command = ["followme-uav", "export", "--onnx", exported, "--weights", weights]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    check_network(exported)
    first, second = Segmenter(weights, runtime="openvino"), Segmenter(exported)
    assert first.trained_size_px == second.trained_size_px
    images_px = [
        with_images_for(path, load_config()).camera.size_px for path in (weights, exported)
    ]
    assert images_px == [first.trained_size_px] * 2
    given = load_config(overrides=["camera.width_px=200", "camera.height_px=104"])
    assert with_images_for(weights, given).camera.size_px == (104, 200), "a given size stays"
    # Sides of 168 are not multiples of 16, as Model 4 needs them.
    for images in (noise(3, 160, 160), street(2, 96, 256), street(1, 160, 168)):
        np.testing.assert_array_equal(first.segment_batch(images), second.segment_batch(images))
    assert second.architecture == architecture
    assert second.device == "CPU (OpenVINO)"


def test_network_with_channels_first_in_bgr_gives_its_probabilities(saved):
    segmenter = Segmenter(saved(network(), BGR_LOGITS))
    images = street(3, 64, 96)
    masks = segmenter.segment_batch(images)
    np.testing.assert_allclose(masks, expected_of_bgr_logits(images), atol=0.51)
    assert np.ptp(masks[..., MaskClass.HERO]) > 40
    np.testing.assert_array_equal(masks[0], segmenter.segment(images[0]))


def test_images_are_scaled_to_the_size_of_the_network_and_masks_back(saved):
    path = saved(network(shape=(1, 3, 40, 56), out=(1, CLASSES, 40, 56)), BGR_LOGITS)
    segmenter = Segmenter(path)
    assert segmenter.input_size_px == (40, 56)
    grey = np.full((2, 160, 160, 3), 90, np.uint8)
    masks = segmenter.segment_batch(grey)
    np.testing.assert_allclose(masks, expected_of_bgr_logits(grey), atol=0.51)


def test_description_sets_the_size_of_a_network_of_any_size(saved):
    path = saved(network(), BGR_LOGITS + "width_px: 56\nheight_px: 40\n")
    assert Segmenter(path).input_size_px == (40, 56)


def test_small_output_is_scaled_to_the_image(saved):
    pool = {"kernel_shape": [4, 4], "strides": [4, 4]}
    nodes = [
        helper.make_node("AveragePool", ["image"], ["small"], **pool),
        helper.make_node("Conv", ["small", "kernel"], ["classes"]),
    ]
    grey = np.full((160, 160, 3), 90, np.uint8)
    mask = Segmenter(saved(network(nodes), BGR_LOGITS)).segment(grey)
    np.testing.assert_allclose(mask, expected_of_bgr_logits(grey), atol=0.51)


def test_output_with_channels_last_is_recognised_behind_an_input_with_channels_first(saved):
    """Converters from TensorFlow make such networks."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["planes"]),
        helper.make_node("Transpose", ["planes"], ["classes"], perm=[0, 2, 3, 1]),
    ]
    images = street(1, 64, 96)
    path = saved(network(nodes, out=(1, None, None, CLASSES)), BGR_LOGITS)
    expected = expected_of_bgr_logits(images)
    np.testing.assert_allclose(Segmenter(path).segment_batch(images), expected, atol=0.51)


def test_sigmoid_network_of_the_hero_alone_has_the_rest_as_background(saved):
    kernel = np.array([[8.0, -4.0, -4.0]], np.float32)
    about = "classes: {hero: 0}\nactivation: sigmoid\ndivide_by: 255\n"
    image = street(1, 32, 32)[0]
    path = saved(network(kernel=kernel, out=(1, 1, None, None)), about)
    mask = Segmenter(path).segment(image)
    hero = 255 / (1 + np.exp(-(image / 255.0) @ kernel[0]))
    np.testing.assert_allclose(mask[..., MaskClass.HERO], hero, atol=0.51)
    np.testing.assert_allclose(mask[..., MaskClass.BACKGROUND], 255 - hero, atol=0.51)
    assert not mask[..., MaskClass.PEOPLE].any()


def test_output_is_chosen_by_name(saved):
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["classes"]),
        helper.make_node("Neg", ["classes"], ["aux"]),
    ]
    path = saved(network(nodes, extra_outputs=["aux"]), BGR_LOGITS + "output: classes\n")
    image = street(1, 32, 32)
    expected = expected_of_bgr_logits(image)
    np.testing.assert_allclose(Segmenter(path).segment_batch(image), expected, atol=0.51)


def test_json_describes_a_network_too(saved):
    path = saved(network(), None)
    path.with_suffix(".json").write_text(
        '{"classes": {"hero": 20}, "divide_by": 255, "activation": "softmax"}'
    )
    assert Segmenter(path).segment(street(1, 32, 32)[0]).shape == (32, 32, 3)


def test_checksum_and_cache_depend_on_the_description(saved):
    """A flight on another description is another flight."""
    path = saved(network())
    before = network_files.sha256(path), network_files.changed_ns(path)
    path.with_suffix(".yaml").write_text(BGR_LOGITS)
    assert network_files.sha256(path) != before[0]
    assert network_files.changed_ns(path) != before[1]


# Wrong networks


def refused(path, match):
    """The file must be refused in one line that names it, before or with its first image."""
    with pytest.raises(WeightsError, match=match) as caught:
        check_network(path)
        Segmenter(path).segment(street(1, 32, 32)[0])
    text = str(caught.value)
    assert path.stem in text
    assert "\n" not in text
    assert len(text) < 600


def node(kind, **attributes):
    return [helper.make_node(kind, ["image", "kernel"], ["classes"], **attributes)]


def put_outside(tensor):
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external():
    model = network()
    put_outside(model.graph.initializer[0])
    return model


def sparse_external():
    values = TensorProto(name="values", data_type=TensorProto.FLOAT, dims=[1])
    put_outside(values)
    places = numpy_helper.from_array(np.array([0]), "places")
    sparse = onnx.SparseTensorProto(values=values, indices=places, dims=[3])
    constant = helper.make_node("Constant", [], ["unused"], sparse_value=sparse)
    return network([constant, *node("Conv")])


def huge():
    """Some bytes that ask for terabytes."""
    scales = numpy_helper.from_array(np.array([1, 1, 60000, 60000], np.float32), "scales")
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["planes"]),
        helper.make_node("Resize", ["planes", "", "scales"], ["classes"], mode="nearest"),
    ]
    model = network(nodes)
    model.graph.initializer.append(scales)
    return model


def labels():
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["planes"]),
        helper.make_node("ArgMax", ["planes"], ["classes"], axis=1),
    ]
    return network(nodes, out=(1, 1, None, None), out_kind=TensorProto.INT64)


def vector():
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["planes"]),
        helper.make_node("ReduceMean", ["planes"], ["classes"], axes=[2, 3], keepdims=0),
    ]
    return network(nodes, out=(1, CLASSES))


def loop():
    body = helper.make_graph([], "body", [], [])
    nodes = [helper.make_node("Loop", ["", "", "image"], ["classes"], body=body)]
    return network(nodes)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (b"", "not an ONNX network"),
        (b"\x89HDF\r\n\x1a\n and more", "not an ONNX network"),
        (network().SerializeToString()[:-40], "not an ONNX network|not a valid ONNX network"),
        (network(node("Frobnicate")), "not a valid ONNX network.*Frobnicate"),
        (
            network(node("Magic", domain="com.example"), domains=["com.example"]),
            "com.example.Magic",
        ),
        (network(opset=99), "opset 99, known here"),
        (loop(), "operator Loop; export a network without control flow"),
        (external(), "values in other files"),
        (sparse_external(), "values in other files"),
        (huge(), "too large"),
        (labels(), "type i64; export the probabilities or logits"),
        (vector(), "four axes of known size"),
        (network(shape=(2, 3, 32, 32), out=(2, CLASSES, 32, 32)), "one image"),
        (network(shape=(1, 4, 32, 32), kernel=np.ones((CLASSES, 4), np.float32)), "3 channels"),
        (network(shape=(1, None, None, None)), "layout: nchw"),
        (network(kind=TensorProto.INT32), "not a valid|type INT32"),
        (network(extra_inputs=["threshold"]), "2 inputs"),
        (network(kernel=np.full((CLASSES, 3), np.nan, np.float32)), "not finite"),
        (network(shape=(1, 3, 4096, 4096), out=(1, CLASSES, 4096, 4096)), "larger than 2048"),
        (network(kernel=np.ones((2, 3), np.float32), out=(1, 2, None, None)), "names channel 2"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_unusable_network_is_refused_in_one_line(saved, model, match):
    refused(saved(model), match)


@pytest.mark.parametrize(
    ("description", "match"),
    [
        (None, r"needs net\.yaml beside it"),
        ("", "key: value"),
        ("classes: [1, 2]\n", "classes"),
        ("classes: {people: 1}\n", "classes.hero: missing"),
        ("classes: {people: 2, hero: 2}\n", "one class only"),
        (PLAIN + "size: 3\n", "size: unknown key"),
        (PLAIN + "width_px: 64\n", "both width_px and height_px"),
        (PLAIN + "layout: nhwc\n", "not nhwc"),
        (PLAIN + "output: logits\n", "has no output 'logits', but classes"),
        (PLAIN.replace("softmax", "relu"), "activation"),
        (PLAIN.replace("divide_by: 255", ""), "lacks divide_by"),
        (PLAIN.replace("activation: softmax", ""), "outside of 0..1"),
        (PLAIN.replace("hero: 2", "hero: 21"), "21 classes.* names channel 21"),
        (PLAIN + "mean: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("x: " + "y" * 70_000, "too large"),
    ],
)
def test_wrong_description_is_refused_in_one_line(saved, description, match):
    refused(saved(network(), description), match)


def test_model_card_beside_an_exported_network_is_no_description(saved):
    """`train --out net.h5` and `export --onnx net.onnx` write net.json and net.yaml."""
    path = saved(network())
    path.with_suffix(".json").write_text('{"weights_sha256": "0", "stages": []}')
    assert description_file(path) == path.with_suffix(".yaml")
    path.with_suffix(".yaml").unlink()
    refused(path, r"needs net\.yaml beside it")


def test_description_of_millions_of_values_is_refused_at_once(saved):
    """Lists that repeat lists are a kilobyte of YAML, and would fill the memory as text."""
    lists = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lists += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    refused(saved(network(), "\n".join([*lists, "classes: *a9\n"])), "stand for too many values")


def test_several_descriptions_are_refused(saved):
    path = saved(network())
    path.with_suffix(".json").write_text("{}")
    refused(path, r"net\.yaml and net\.json; leave one")


def test_wrong_size_in_the_description_is_refused(saved):
    path = saved(network(shape=(1, 3, 40, 56)), PLAIN + "width_px: 40\nheight_px: 40\n")
    refused(path, "56 x 40 pixels, its description says 40 x 40")


def test_scaling_for_a_network_that_takes_bytes_is_refused(saved):
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=FLOAT),
        helper.make_node("Conv", ["floats", "kernel"], ["classes"]),
    ]
    model = network(nodes, kind=TensorProto.UINT8)
    refused(saved(model), "takes bytes; leave that out")


def test_values_that_are_not_finite_are_refused_within_a_batch(saved):
    """The mask in bytes does not show them."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["planes"]),
        helper.make_node("Log", ["planes"], ["classes"]),
    ]
    path = saved(network(nodes, kernel=np.ones((CLASSES, 3), np.float32)), PLAIN)
    images = np.full((3, 32, 32, 3), 90, np.uint8)
    images[1, 4, 4] = 0  # the logarithm of 0
    segmenter = onnx_runtime.OnnxRuntime(path)
    assert segmenter.infer(images[::2]).shape == (2, 32, 32, 3)
    with pytest.raises(WeightsError, match="not finite"):
        segmenter.infer(images)


def test_file_above_the_limit_is_not_read(saved, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 100)
    refused(saved(network()), "bytes are too many")


def test_missing_file_and_folder_are_refused(tmp_path):
    refused(tmp_path / "gone.onnx", "no such file")
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx", "a folder")


def test_tensorflow_is_refused_for_an_onnx_network(saved):
    with pytest.raises(WeightsError, match=r"perception\.runtime"):
        Segmenter(saved(network()), runtime="tensorflow")


def test_commands_that_need_weights_say_that_onnx_is_none(saved, monkeypatch, capsys):
    path = saved(network())
    command = ["followme-uav", "export", "--onnx", "x.onnx", "--weights", str(path)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.chdir(path.parent)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert (
        "an ONNX network; fly, scenario, replay and evaluate run those" in capsys.readouterr().err
    )


def test_export_leaves_a_file_that_describes_no_network(tmp_path, monkeypatch, capsys):
    """Otherwise `export --onnx configs/training/model1.onnx` would replace a configuration."""
    (tmp_path / "net.yaml").write_text("epochs: 3\n")
    monkeypatch.setattr(
        sys, "argv", ["followme-uav", "export", "--onnx", str(tmp_path / "net.onnx")]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "net.yaml: exists, and describes no network" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()


def test_export_refuses_the_name_of_its_description(tmp_path, monkeypatch, capsys):
    """The description would replace the network."""
    monkeypatch.setattr(
        sys, "argv", ["followme-uav", "export", "--onnx", str(tmp_path / "net.yaml")]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "net.yaml: is the name of the description" in capsys.readouterr().err


def test_onnx_runs_without_tensorflow(saved):
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from followme_uav import Segmenter;"
        "Segmenter(Path(sys.argv[1])).segment(np.zeros((32, 32, 3), np.uint8));"
        "print(sorted({'keras', 'tensorflow', 'torch', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(saved(network()))],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_made_networks_are_valid():
    """Otherwise the refusals above would prove nothing."""
    onnx.checker.check_model(network())
