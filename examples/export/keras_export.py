import tensorflow as tf
import tf2onnx

from keras_model import trained

model = trained()
infer = tf.function(lambda x: model(x, training=False))
tf2onnx.convert.from_function(
    infer, opset=17, output_path="model.onnx",
    input_signature=[tf.TensorSpec((None, 6), tf.float32, name="input")],  # None: any batch
)
