"""Networks of the Udacity project's blocks, as its users built them, for tests.

`Sketch` writes them down as Keras 2 did (JSON, and HDF5 with arrays in the old order), and
`forward` computes them in NumPy alone, so that nothing of the program is used to judge it.
"""

import json

import h5py
import numpy as np

BETA_FIRST = ("beta", "gamma", "moving_mean", "moving_variance")
GAMMA_FIRST = ("gamma", "beta", "moving_mean", "moving_variance")


class Sketch:
    """A network under construction; each method returns the name of the layer it appends."""

    def __init__(self, side_px=160, seed=0, first_number=3):
        self.layers = []
        self.arrays = {}
        self.channels = {}
        self._rng = np.random.default_rng(seed)
        self._first = first_number
        self._numbers = {}
        self.image = self.add(
            "InputLayer", "input", 3, batch_input_shape=[None, side_px, side_px, 3]
        )

    def add(self, kind, base, channels, *sources, **settings):
        number = self._numbers[base] = self._numbers.get(base, self._first) + 1
        name = f"{base}_{number}"
        entry = {"name": name, "class_name": kind, "config": {"name": name, **settings}}
        entry["inbound_nodes"] = [[[s, 0, 0, {}] for s in sources]] if sources else []
        self.layers.append(entry)
        self.channels[name] = channels
        self.arrays[name] = {}
        return name

    def separable(self, x, filters, strides=1, kernel=3, activation="relu", norm=True):
        y = self.add(
            "SeparableConv2DKeras",
            "separable_conv2d_keras",
            filters,
            x,
            filters=filters,
            kernel_size=[kernel, kernel],
            strides=[strides, strides],
            padding="same",
            data_format="channels_last",
            activation=activation,
            use_bias=True,
        )
        depth = self.channels[x]
        self.arrays[y] = {
            "depthwise_kernel": self._kernel(kernel, kernel, depth, 1, fan=kernel**2),
            "pointwise_kernel": self._kernel(1, 1, depth, filters, fan=depth),
            "bias": self._rng.uniform(-0.2, 0.3, filters).astype(np.float32),
        }
        return self.norm(y) if norm else y

    def conv(self, x, filters, kernel=1, activation="relu", norm=True, strides=1):
        y = self.add(
            "Conv2D",
            "conv2d",
            filters,
            x,
            filters=filters,
            kernel_size=[kernel, kernel],
            strides=[strides, strides],
            padding="same",
            data_format="channels_last",
            dilation_rate=[1, 1],
            activation=activation,
            use_bias=True,
        )
        depth = self.channels[x]
        self.arrays[y] = {
            "kernel": self._kernel(kernel, kernel, depth, filters, fan=depth * kernel**2),
            "bias": self._rng.uniform(-0.2, 0.3, filters).astype(np.float32),
        }
        return self.norm(y) if norm else y

    def norm(self, x, epsilon=0.001):
        depth = self.channels[x]
        y = self.add(
            "BatchNormalization", "batch_normalization", depth, x, axis=-1, epsilon=epsilon
        )
        self.arrays[y] = {
            "gamma": self._rng.uniform(0.5, 1.5, depth).astype(np.float32),
            "beta": self._rng.uniform(-0.4, 0.4, depth).astype(np.float32),
            "moving_mean": self._rng.uniform(-0.1, 0.4, depth).astype(np.float32),
            "moving_variance": self._rng.uniform(0.2, 0.9, depth).astype(np.float32),
        }
        return y

    def up(self, x, factor=2):
        return self.add(
            "BilinearUpSampling2D",
            "bilinear_up_sampling2d",
            self.channels[x],
            x,
            size=[factor, factor],
            data_format="channels_last",
        )

    def concat(self, *sources):
        depth = sum(self.channels[s] for s in sources)
        return self.add("Concatenate", "concatenate", depth, *sources, axis=-1)

    def decoder(self, x, skip, filters, convolutions=1, kernel=3):
        x = self.up(x)
        if skip is not None:
            x = self.concat(x, skip)
        for _ in range(convolutions):
            x = self.separable(x, filters, kernel=kernel)
        return x

    def classes(self, x, kernel=1):
        return self.conv(x, 3, kernel=kernel, activation="softmax", norm=False)

    def _kernel(self, *shape, fan):
        return (self._rng.normal(size=shape) * (1.6 / fan) ** 0.5).astype(np.float32)

    # Files.

    def json(self, keras_version="2.0.6-tf"):
        return {
            "class_name": "Model",
            "keras_version": keras_version,
            "backend": "tensorflow",
            "config": {
                "name": "model_1",
                "layers": self.layers,
                "input_layers": [[self.image, 0, 0]],
                "output_layers": [[self.layers[-1]["name"], 0, 0]],
            },
        }

    def write_json(self, path):
        """Write a JSON string that holds the JSON, like `save_network` of the project."""
        path.write_text(json.dumps(json.dumps(self.json())))
        return path

    def write_weights(self, path, norm_order=BETA_FIRST):
        with h5py.File(path, "w") as file:
            self._fill(file, norm_order)
        return path

    def write_model(self, path):
        """Write weights, JSON and the state of an optimizer into one file, like `model.save`."""
        with h5py.File(path, "w") as file:
            file.attrs["keras_version"] = b"2.0.6-tf"
            file.attrs["backend"] = b"tensorflow"
            file.attrs["model_config"] = json.dumps(self.json()).encode()
            file.attrs["training_config"] = b"{}"
            self._fill(file.create_group("model_weights"), BETA_FIRST)
            file["optimizer_weights/Adam/iterations:0"] = np.float32(7)
        return path

    def _fill(self, group, norm_order):
        names = [entry["name"] for entry in self.layers]
        group.attrs["layer_names"] = [name.encode() for name in names]
        group.attrs["keras_version"] = b"2.0.6-tf"
        group.attrs["backend"] = b"tensorflow"
        for entry in self.layers:
            arrays = self.arrays[entry["name"]]
            own = group.create_group(entry["name"])
            order = norm_order if "gamma" in arrays else tuple(arrays)
            # Keras 2 numbered variables one behind their layers.
            paths = [f"{entry['name']}_before/{short}:0" for short in order]
            own.attrs["weight_names"] = np.array([p.encode() for p in paths])
            for short, path in zip(order, paths, strict=True):
                own[path] = arrays[short]


def forward(sketch, image):
    """(height, width, 3) float in -1..1 -> (height, width, 3) probabilities, in NumPy."""
    results = {}
    for entry in sketch.layers:
        name, kind, settings = entry["name"], entry["class_name"], entry["config"]
        arrays = sketch.arrays[name]
        inputs = [results[node[0]] for node in (entry["inbound_nodes"] or [[]])[0]]
        if kind == "InputLayer":
            result = image.astype(np.float64)
        elif kind == "Concatenate":
            result = np.concatenate(inputs, axis=-1)
        elif kind == "BilinearUpSampling2D":
            result = _upsampled(inputs[0], settings["size"][0])
        elif kind == "BatchNormalization":
            scale = arrays["gamma"] / np.sqrt(arrays["moving_variance"] + settings["epsilon"])
            result = (inputs[0] - arrays["moving_mean"]) * scale + arrays["beta"]
        else:
            stride = settings["strides"][0]
            if kind == "Conv2D":
                result = _convolved(inputs[0], arrays["kernel"], stride)
            else:
                each = _depthwise(inputs[0], arrays["depthwise_kernel"], stride)
                result = each @ arrays["pointwise_kernel"][0, 0]
            result = _ACTIVATIONS[settings["activation"]](result + arrays["bias"])
        results[name] = result
    return results[sketch.layers[-1]["name"]]


def _softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


_ACTIVATIONS = {"relu": lambda x: np.maximum(x, 0), "linear": lambda x: x, "softmax": _softmax}


def _windows(x, side, stride):
    """Yield row and column in the window, and the pixels of the padded image under them."""
    height, width = (-(-n // stride) for n in x.shape[:2])
    pads = []
    for n, out in zip(x.shape[:2], (height, width), strict=True):
        total = max((out - 1) * stride + side - n, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(x, [*pads, (0, 0)])
    for i in range(side):
        for j in range(side):
            rows = slice(i, i + (height - 1) * stride + 1, stride)
            columns = slice(j, j + (width - 1) * stride + 1, stride)
            yield i, j, padded[rows, columns]


def _convolved(x, kernel, stride):
    return sum(seen @ kernel[i, j] for i, j, seen in _windows(x, kernel.shape[0], stride))


def _depthwise(x, kernel, stride):
    return sum(seen * kernel[i, j, :, 0] for i, j, seen in _windows(x, kernel.shape[0], stride))


def _upsampled(x, factor):
    """Upsample bilinearly as TensorFlow 1: output position i is input i / factor, clamped."""
    for axis in (0, 1):
        position = np.arange(x.shape[axis] * factor) / factor
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        share = (position - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        x = np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share
    return x


def plain(widths, middle, decoders, convolutions=1, side_px=160, seed=0, skips=True):
    """The project's template: an encoder of stride 2 for each width, a 1x1, as many decoders."""
    net = Sketch(side_px, seed)
    x, sources = net.image, [net.image]
    for width in widths:
        x = net.separable(x, width, strides=2)
        sources.append(x)
    x = net.conv(x, middle)
    for skip, width in zip(reversed(sources[:-1]), decoders, strict=True):
        x = net.decoder(x, skip if skips else None, width, convolutions)
    net.classes(x)
    return net


def varied(seed):
    """A network like those of 98 public notebooks, of random depth, widths, blocks and kernels."""
    rng = np.random.default_rng(seed)
    depth = 1 + seed % 5
    net = Sketch(
        int(2 ** max(depth, 4) * rng.integers(1, 4)), seed, first_number=int(rng.integers(9))
    )
    x, sources = net.image, [net.image]
    if rng.random() < 0.3:
        x = net.conv(x, int(rng.integers(4, 9)))
    for _ in range(depth):
        convolutions = int(rng.integers(1, 4))
        halving = int(rng.integers(convolutions))
        for i in range(convolutions):
            stride = 2 if i == halving else 1
            kernel = int(rng.choice([1, 2, 3, 5]))
            x = net.separable(x, int(rng.integers(3, 24)), strides=stride, kernel=kernel)
        sources.append(x)
    for _ in range(int(rng.integers(0, 3))):
        x = net.conv(x, int(rng.integers(8, 40)), kernel=int(rng.choice([1, 3])))
    for skip in reversed(sources[:-1]):
        x = net.up(x)
        chance = rng.random()
        if chance < 0.5:
            x = net.concat(x, skip)
        elif chance < 0.75:
            x = net.concat(skip, x)
        for _ in range(int(rng.integers(1, 4))):
            x = net.separable(x, int(rng.integers(3, 20)), norm=bool(rng.random() < 0.8))
    net.classes(x, kernel=int(rng.choice([1, 3])))
    return net
