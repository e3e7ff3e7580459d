import torch

from torch_model import trained

model = trained().eval()
x = torch.randn(2, 6)
torch.onnx.export(
    model, (x,), "model.onnx", dynamo=False, opset_version=17,
    input_names=["input"], output_names=["output"],
    dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
)
