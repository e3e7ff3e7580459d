/**
 * Compiles a checkpoint from a script and uses the result at once: `node examples/compile-and-predict.mjs`.
 * In your own project the imports are `kanc` and the folder that you wrote the artifact to.
 */
