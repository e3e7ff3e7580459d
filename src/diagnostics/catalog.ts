/**
 * Every diagnostic code with its explanation: the text behind `kanc explain CODE`.
 *
 * Ranges: K01xx files and containers, K02xx checkpoints and families, K03xx the `.kir` text,
 * K04xx graphs and verification, K05xx passes and pipelines, K06xx backends and artifacts,
 * K07xx data for calibration and evaluation, K08xx the command line, K09xx searches and sweeps.
 */
export const CATALOG = {
  K0101: 'A file could not be read. Check the path and its permissions.',
  K0102:
    'A file could not be written, or a folder holds what must not be overwritten. The output is written to a temporary name first and renamed, so nothing half-written is left behind.',
  K0103:
    'The file is shorter than its own header says. It was probably cut off while being copied or downloaded: fetch it again and compare sizes.',
  K0104:
    'The file is not of any container format that kanc reads: safetensors, a torch zip (.pt, .pth), a legacy torch file, ONNX, or .npy.',
  K0105:
    'The header of a safetensors file is malformed: its length, its JSON, or one of its entries breaks the format.',
  K0106:
    'A tensor in a safetensors file points outside the data, overlaps another one, or has a size that disagrees with its dtype and shape.',
  K0107:
    'A pickle names a function by which it would run commands (os.system, builtins.eval and the like) if Python loaded it. kanc executes nothing: it gives a meaning to a closed list of tensor constructors only. No checkpoint of weights has such a name, so do not load the file elsewhere; a state dict (`torch.save(model.state_dict(), path)`) or safetensors has none.',
  K0108:
    'A pickle stream is malformed, uses an opcode that tensor checkpoints do not use, or nests too deeply.',
  K0109: 'A tensor in a torch file points outside its storage.',
  K0110: 'A zip archive is damaged or is not laid out as a torch checkpoint.',
  K0111:
    'The header of an .npy file is malformed or its data type is not one that kanc reads (float 16/32/64, signed and unsigned integers up to 64 bits, bool).',
  K0112: 'The data type of a tensor is not supported.',
  K0113: 'A limit was exceeded before memory was allocated. Limits protect against hostile files.',
  K0114:
    'Tensors lie in a Python object (a whole module that was pickled, a class of its own around a state dict) where a dict of named tensors is needed. Objects are never made, so their tensors cannot be taken for weights. Load the file where the class is at hand and save `model.state_dict()`.',
  K0115:
    'A checkpoint in several files is not whole: the index (`model.safetensors.index.json`) or one of the shards that it names is missing, or they are of different checkpoints. Give the index, with all shards in its folder.',
  K0116:
    'Two tensors of a checkpoint would have the same name, so that one of them would be lost: names that differ only in what wrappers (DataParallel, FSDP, torch.compile) put into them, or a key with a dot that reads like a dict in a dict.',
  K0117:
    'An ONNX file is damaged: a message in it ends behind its bytes, a constant has other numbers than its shape says, two constants have one name, or a function of the file calls itself.',
  K0118:
    'The constants of an ONNX model lie in a file beside it (model.onnx.data), which is missing, too short, or not in the folder of the model. Keep the files that the exporter wrote together, under their names.',
  K0119:
    'An ONNX file is of a version that kanc does not read: opsets before 11, or functions of another opset than the file. Export the network again with `opset_version=17`, or convert it with `onnx.version_converter`.',
  K0201: 'The names and shapes of the tensors match no KAN family that this version knows.',
  K0202: 'A tensor that the family needs is missing.',
  K0203: 'A tensor has a shape that does not fit the others of its layer.',
  K0204:
    'A weight is NaN or infinite. The training probably diverged; a compiled table of such a function would be meaningless.',
  K0205: 'The knots of a spline decrease. Every row of a grid must ascend.',
  K0206:
    'An option about the checkpoint (family, base activation, kind or width of a radial basis, ...) has a value that is not known, or no effect on this network.',
  K0207:
    'The checkpoint holds tensors that are no part of the network as kanc reads it. If the network uses them (another layer, a bias, a normalisation), the program without them would compute another function, so nothing is compiled. The hint says what they probably are. --ignore-tensors leaves them out, which is right only for tensors that the network does not compute with: counters, the loss, another network.',
  K0208:
    'The checkpoint holds several networks. --prefix names the one that is meant, by what its tensor names begin with: the keys that lead to its dict of tensors and the names in it, joined by dots. Networks that belong together are connected by an architecture file; see docs/architecture-files.md.',
  K0209:
    'An architecture file does not follow its format: it is not JSON, or a layer has an unknown type or a wrong field; see docs/architecture-files.md.',
  K0210:
    'A grid has knots that stand on one another. The recursion of B-splines divides by their distance, so that the library itself gives NaN for every sample; there is no function to compile.',
  K0211:
    'A weight is stored in a form from which its numbers cannot be told: integers whose scales are not in the file, or the parts of a parametrisation that kanc does not put together. Save the weights as plain floats.',
  K0212:
    'Modules are numbered with a gap between layers: an activation, a pooling or a dropout stands there and leaves no tensors. An architecture file (--arch) says which.',
  K0213:
    'No architecture file can be drafted: tensors are of no layer that such a file has, the layers cannot stand one after another, or none of the networks that were tried computes the outputs given with --check.',
  K0214:
    'A node of a network exported as a graph breaks a rule of its op: shapes that do not belong together, a missing input, an attribute of another type. The exporter is at fault, or the file was changed afterwards.',
  K0215:
    'The shape of what a network is given is not known. The number of samples may be open; all other sizes must be numbers, since layers, tables and memory follow from them.',
  K0216:
    'A graph has no value of this name. Any value of the graph can be named as an input or an output, so that a part of it is compiled; names are those that viewers of such files show.',
  K0217:
    'The number of samples was baked into a network when it was exported, so that it takes batches of this size only. Exporters have an option for a dynamic first dimension (`dynamic_axes`, `dynamic_shapes`).',
  K0221:
    'A node of the graph computes something that is no sum of functions of one variable, no norm, pooling or product of two values: attention, recurrence, the extremes of several values, or anything over the samples of a batch. What stands before the node can be compiled with --outputs.',
  K0222:
    'A result of the graph does not depend on its input, so that there is nothing to compute for a sample.',
  K0223:
    'A sum, a pooling or a softmax of the graph is of a form that no layer has: too large to be written out in full, and not the same for all places of an image.',
  K0224:
    'A layer of a tensor program has a function of one variable that is none of the bases that kanc names and too large to be kept as an expression, or a table is looked up where its entries cannot become weights.',
  K0225:
    'The layers that were found in an exported graph do not give its results. Either the graph amplifies the rounding of floats, so that its results differ between runtimes, or kanc reads an op of it wrongly: then please report it.',
  K0226: 'An exported graph takes several inputs, and a program of kanc takes one.',
  K0301: 'The .kir text does not follow the grammar, or its names and types disagree; see docs/ir.md.',
  K0302: 'A resource section entry is missing, damaged, or does not match its hash.',
  K0303: 'The attributes of an op do not match the definition of the op; see docs/ir.md.',
  K0401:
    'The graph breaks a rule of the IR. If a pass of your own made it, the pass is at fault; if kanc made it, please report it.',
  K0402: 'The range of an accumulator could not be proven to fit its type.',
  K0501: 'There is no pass of this name. `kanc passes` lists them.',
  K0502: 'The text of a pipeline does not follow its grammar: name{option=value,...},name,...',
  K0503: 'An option of a pass is unknown or has a wrong value. `kanc passes` lists the options of each pass.',
  K0504:
    'A pass takes a graph of another level than the one it was given. The levels are float, quantized and table, in this order.',
  K0505:
    'A pass needs something that the graph does not have (calibration statistics, uniform knots, a table form).',
  K0506: 'A plugin module could not be loaded or does not export what a plugin must.',
  K0507:
    'The tables of the program, or the constants of a graph, would be larger than the text form of a graph can hold. Edge tables double with every bit of the activations: ask for fewer bits, or for the basis form.',
  K0508:
    'A pass of a plugin changed what it was given: a constant, an attribute or the data that its options name. Graphs share these, so that other graphs and later passes would be changed with them. A pass makes a copy and changes that; see docs/writing-a-pass.md.',
  K0601: 'There is no target of this name. `kanc targets` lists them.',
  K0602: 'The backend cannot emit this graph.',
  K0603: 'The folder is not an artifact of kanc, or it is damaged.',
  K0604:
    'The artifact and the interpreter disagree. This is a bug in kanc: please report it with the artifact.',
  K0605:
    'A table or a value is larger than what a GPU binds at once. Tables of layers are split where they can be; what cannot be split must fit.',
  K0606:
    'There is no WebGPU here: the npm package `webgpu` is not installed, or no graphics adapter was found. A WebGPU artifact runs in a browser, or in Node with that package (`npm install webgpu`); without a GPU, a software adapter such as SwiftShader serves.',
  K0607: 'The GPU failed while the program ran: the device was lost, or its memory did not suffice.',
  K0608:
    'A tool that synthesis needs is not installed, or stopped with an error. `kanc synth` calls yosys, and nextpnr where a device is given and it is there.',
  K0611:
    'A network sums, multiplies or normalises more than 32-bit integers hold: a mean over a very large window, a norm over very many elements. Everything between input and output is computed in such integers.',
  K0701: 'The data has a shape, a type or values (NaN, infinities) that the model does not take.',
  K0702: 'Labels or targets do not fit the predictions.',
  K0703:
    'The axes of the data are in another order than those of the network, such as images of [samples, height, width, channels] for a network on [channels, height, width]. Read in a wrong order they would be other images, so nothing is done with them. `--input-layout nhwc` moves the channels to the front.',
  K0704:
    'A file of data is not an array that kanc reads: an .npy file, or an .npz archive of them. What to store it with is told with the message. Nothing in the file is executed.',
  K0801: 'A value on the command line is wrong.',
  K0901:
    'The folder holds points of another sweep: of another checkpoint, other data, other options or another version of kanc. Points of different sweeps cannot be compared, so they are never mixed.',
  K0902:
    'A search found no configuration within the limit on the drop and the budgets. The limit holds for the measured drop and one standard error together, so that few samples need a larger limit; docs/sweep.md tells how it is measured.',
  K0903:
    'A thread of a search or sweep ended before its work was done: it was killed, or memory ran out. What a sweep has finished is kept; the same command goes on from there. Fewer threads (--jobs) need less memory.',
  K0904:
    'Points of a sweep are missing, so its results cannot be put together. Where all files are of one split, the message names the shards that have not finished: run them again, they go on where they ended. Where a folder has no points at all, it is probably another one that was meant.',
  K0905:
    'A file of a sweep is damaged: a line in it is no point, a point has not the name of its index or of its configuration, or two files say different things of one point. Only the last line of a file may be cut off. Remove the file; its points are tried again.',
  K0906:
    'The memory of the machine, or what the process may take of it, does not suffice. Fewer samples or threads need less; ulimit -v and the limits of containers tell what the process may take.',
} as const;

export type DiagnosticCode = keyof typeof CATALOG;

export const isDiagnosticCode = (text: string): text is DiagnosticCode => Object.hasOwn(CATALOG, text);
