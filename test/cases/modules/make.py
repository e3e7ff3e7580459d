import sys, types, math, argparse, pathlib, datetime, collections
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(7)
mod = types.ModuleType('networks'); sys.modules['networks'] = mod
class SplineLayer(nn.Module):
    def __init__(s, i, o, grid_size=4, spline_order=3, base_activation=nn.SiLU):
        super().__init__()
        s.in_features, s.out_features, s.grid_size, s.spline_order = i, o, grid_size, spline_order
        h = 2 / grid_size
        knots = torch.arange(-spline_order, grid_size + spline_order + 1) * h - 1
        s.register_buffer('grid', knots.expand(i, -1).contiguous())
        s.base_weight = nn.Parameter(torch.randn(o, i) * .4)
        s.spline_weight = nn.Parameter(torch.randn(o, i, grid_size + spline_order) * .3)
        s.spline_scaler = nn.Parameter(torch.randn(o, i))
        s.base_activation = base_activation()
        s.grid_eps = 0.02
    def basis(s, x):
        x = x.unsqueeze(-1); g = s.grid
        b = ((x >= g[:, :-1]) & (x < g[:, 1:])).to(x.dtype)
        for k in range(1, s.spline_order + 1):
            b = (x - g[:, :-(k + 1)]) / (g[:, k:-1] - g[:, :-(k + 1)]) * b[:, :, :-1] + (g[:, k + 1:] - x) / (g[:, k + 1:] - g[:, 1:-k]) * b[:, :, 1:]
        return b
    def forward(s, x):
        w = s.spline_weight * s.spline_scaler.unsqueeze(-1)
        return F.linear(s.base_activation(x), s.base_weight) + torch.einsum('nik,oik->no', s.basis(x), w)
class Kan(nn.Module):
    def __init__(s, widths, **kw):
        super().__init__()
        s.grid_size, s.spline_order = 4, 3
        s.layers = nn.ModuleList(SplineLayer(a, b, **kw) for a, b in zip(widths, widths[1:]))
    def forward(s, x):
        for l in s.layers: x = l(x)
        return x
class Rbf(nn.Module):
    def __init__(s, lo=-2., hi=2., n=5, denominator=None):
        super().__init__()
        s.grid_min, s.grid_max, s.num_grids = lo, hi, n
        s.grid = nn.Parameter(torch.linspace(lo, hi, n), requires_grad=False)
        s.denominator = denominator or (hi - lo) / (n - 1)
    def forward(s, x): return torch.exp(-((x[..., None] - s.grid) / s.denominator) ** 2)
Rbf.__name__ = Rbf.__qualname__ = 'RadialBasisFunction'
class FastLayer(nn.Module):
    def __init__(s, i, o):
        super().__init__()
        s.input_dim, s.output_dim = i, o
        s.layernorm = nn.LayerNorm(i, eps=1e-4)
        s.rbf = Rbf(denominator=0.7)
        s.spline_linear = nn.Linear(i * 5, o, bias=False)
        s.use_base_update, s.base_activation = True, F.relu
        s.base_linear = nn.Linear(i, o)
    def forward(s, x):
        return s.spline_linear(s.rbf(s.layernorm(x)).flatten(1)) + s.base_linear(s.base_activation(x))
class FastKan(nn.Module):
    def __init__(s, widths):
        super().__init__()
        s.layers = nn.ModuleList(FastLayer(a, b) for a, b in zip(widths, widths[1:]))
    def forward(s, x):
        for l in s.layers: x = l(x)
        return x
class Classifier(nn.Module):
    def __init__(s):
        super().__init__()
        s.encoder = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6, eps=1e-3), nn.ReLU(), nn.Dropout(0.3))
        s.kan = Kan([6, 5, 3], base_activation=nn.Tanh)
    def forward(s, x): return s.kan(s.encoder(x))
class Shared(nn.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b, s.act = SplineLayer(4, 5), SplineLayer(5, 3), nn.ReLU()
    def forward(s, x): return s.b(s.act(s.a(x)))
class Swish2(nn.Module):
    def forward(s, x): return x * torch.sigmoid(2 * x)
for c in (SplineLayer, Kan, Rbf, FastLayer, FastKan, Classifier, Shared, Swish2):
    c.__module__ = 'networks'; setattr(mod, c.__qualname__, c)
x = torch.randn(24, 4) * .6
def out(name, m, inp=x):
    m.eval(); np.save(f'{name}_outputs.npy', m(inp).detach().numpy().astype(np.float32)); np.save(f'{name}_inputs.npy', inp.numpy())
kan = Kan([4, 5, 3], base_activation=nn.GELU); out('kan', kan)
torch.save(kan, 'kan.pt'); torch.save(kan, 'kan-legacy.pt', _use_new_zipfile_serialization=False)
torch.save(nn.DataParallel(kan), 'parallel.pt')
fast = FastKan([4, 5, 3]); out('fast', fast)
torch.save({'epoch': 3, 'model': fast, 'optimizer': torch.optim.Adam(fast.parameters()), 'args': argparse.Namespace(lr=1e-3, out=pathlib.Path('runs')), 'when': datetime.datetime(2024, 1, 2)}, 'fast.pt')
cls = Classifier(); out('classifier', cls); torch.save(cls, 'classifier.pt')
seq = nn.Sequential(nn.Flatten(), SplineLayer(4, 5, base_activation=nn.Identity), nn.Sequential(nn.GELU(approximate='tanh'), nn.Dropout(.1)), nn.Linear(5, 4), nn.BatchNorm1d(4, eps=1e-2), nn.Tanh(), SplineLayer(4, 3))
seq[4].running_mean = torch.randn(4) * .2; seq[4].running_var = torch.rand(4) + .5
out('sequential', seq); torch.save(seq, 'sequential.pt')
img = nn.Sequential(nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4), SplineLayer(4, 3))
xi = torch.randn(24, 1, 8, 8); out('images', img, xi); torch.save(img, 'images.pt')
torch.save(Shared(), 'shared.pt')
torch.save(nn.Sequential(SplineLayer(4, 5), Swish2(), SplineLayer(5, 3)), 'own-activation.pt')
torch.save(Kan([4, 3], base_activation=Swish2), 'own-base.pt')
loop = nn.Sequential(SplineLayer(4, 3)); loop[0].parent = [loop]; loop.add_module('1', nn.Identity()); loop._modules['1']._modules['up'] = loop
sys.setrecursionlimit(10000); torch.save(loop, 'cycle.pt')
sd = {k: v.numpy() for k, v in kan.state_dict().items()}
torch.save({'state_dict': sd, 'rng': np.random.get_state(), 'data': {'x': np.zeros((3, 4))}}, 'arrays.pt')
torch.save(collections.OrderedDict(sd), 'arrays-protocol-4.pt', pickle_protocol=4)
np.savez('arrays.npz', **sd)
wn = Kan([4, 5, 3]); 
for l in wn.layers: nn.utils.weight_norm(l, 'base_weight')
out('weight-norm', wn); torch.save(wn, 'weight-norm.pt')
plain = nn.Sequential(nn.Linear(4, 5), nn.SiLU(), nn.Linear(5, 3)); out('script', plain)
torch.jit.save(torch.jit.script(plain), 'script.pt'); torch.jit.save(torch.jit.trace(kan, x), 'script-kan.pt')
torch.jit.save(torch.jit.freeze(torch.jit.script(plain.eval())), 'frozen.pt')
torch.save({'layers.0.weight': torch.quantize_per_tensor(torch.randn(3, 4), .1, 0, torch.qint8), 'a.b': torch.randn(2, 2)}, 'quantized.pt')
torch.save({'w.a': torch.eye(3).to_sparse(), 'a.b': torch.randn(2, 2)}, 'sparse.pt')
