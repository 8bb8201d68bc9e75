using System.Diagnostics;

// A compiler loads generators into a collectible context, where the runtime neither takes compiled code from the file nor starts with
// quick code: it optimises every method before its first call. This code runs once over a handful of classes, so that was two thirds of
// the time of a cold run (116 ms with, 43 ms without; tests/Benchmarks, command generator). The flags mean it only if Default is among them.
[assembly: Debuggable(
    DebuggableAttribute.DebuggingModes.Default
    | DebuggableAttribute.DebuggingModes.DisableOptimizations
    | DebuggableAttribute.DebuggingModes.IgnoreSymbolStoreSequencePoints)]
