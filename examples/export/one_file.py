import onnx

model = onnx.load("model.onnx")  # reads model.onnx.data too
onnx.save(model, "model-one-file.onnx", save_as_external_data=False)
