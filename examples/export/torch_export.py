import torch

from torch_model import trained

model = trained().eval()  # without eval() dropout stays, and batch norm uses the batch
x = torch.randn(2, 6)  # an example: its values do not matter
batch = torch.export.Dim("batch")
torch.onnx.export(model, (x,), "model.onnx", dynamo=True, dynamic_shapes=({0: batch},))
