import jax
import onnx
from jax2onnx import to_onnx

from jax_model import kan, trained

layers = jax.device_get(trained())  # arrays of numpy become constants of the file
model = to_onnx(lambda x: kan(layers, x), [("B", 6)])  # "B": any batch
onnx.save(model, "model.onnx")
