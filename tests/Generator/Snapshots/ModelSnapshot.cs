using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>What the generator writes for a class, reviewed as prose; each output compiles without a warning, and run on the recorder it does what its plan says.</summary>
internal static class ModelSnapshot
{
    public static void Verify(string source, bool allowUnsafe = true, [CallerMemberName] string method = "", [CallerFilePath] string file = "")
    {
        GeneratorRunResult result = Compiling.Generate(Compiling.Compilation(source, allowUnsafe), out Compilation output);
        Compiling.AssertClean(output);
        Compiling.Generate(Compiling.Recording(source, allowUnsafe), out Compilation recording);
        Loading.AssertRunsAsPlanned(recording);
        SnapshotVerifier.Verify(result, file, method);
    }
}
