using System.Reflection;
using System.Runtime.Loader;

namespace Espalier.Calibration;

/// <summary>Policies that were compiled together, and the assembly that holds their classes.</summary>
/// <remarks>Disposing it lets the assembly go as soon as no model of it is in use any more. Thread-safe.</remarks>
public sealed class PolicyCompilation : IDisposable
{
    private readonly LoadContext? _context;

    internal PolicyCompilation(IReadOnlyList<CompiledPolicy> policies, LoadContext? context)
    {
        Policies = policies;
        _context = context;
    }

    /// <summary>The policies, in the order in which they were given.</summary>
    public IReadOnlyList<CompiledPolicy> Policies { get; }

    /// <inheritdoc/>
    public void Dispose() => _context?.Unload();

    /// <summary>Where the classes live: collectible, over the assemblies of this process.</summary>
    internal sealed class LoadContext() : AssemblyLoadContext("Espalier.Policies", isCollectible: true)
    {
        private static readonly Assembly[] Shared = [typeof(VisionLanguageModel).Assembly, typeof(VisionLanguageModelAttribute).Assembly];

        /// <summary>The same runtime as this library's, whatever context that was loaded into.</summary>
        protected override Assembly? Load(AssemblyName assemblyName) => Array.Find(Shared, shared => shared.GetName().Name == assemblyName.Name);
    }
}
