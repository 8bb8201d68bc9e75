using Spectre.Console;

namespace Espalier.Samples.Shapes;

/// <summary>Variants over one checkpoint: the weights are in memory once, however many variants there are.</summary>
internal sealed class LoadedVariants : IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly List<LoadedVariant> _loaded = [];

    private LoadedVariants(Checkpoint checkpoint) => _checkpoint = checkpoint;

    public LoadedVariant this[int index] => _loaded[index];

    public int Count => _loaded.Count;

    /// <summary>Opens a model folder and loads variants of it; a terminal shows which.</summary>
    public static LoadedVariants Load(string folder, IReadOnlyList<Variant> variants)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"{folder}: there is no such folder. Name a model folder with --model, or leave the option out to use the sample model.");
        }

        LoadedVariants loaded = new(Checkpoint.Open(folder));
        try
        {
            if (Terminal.Errors.Profile.Capabilities.Interactive)
            {
                Terminal.Errors.Status().Start("loading", status => loaded.Add(variants, name => status.Status($"loading {name}")));
            }
            else
            {
                loaded.Add(variants, _ => { });
            }

            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LoadedVariant variant in _loaded)
        {
            variant.Dispose();
        }

        _checkpoint.Dispose();
    }

    private void Add(IReadOnlyList<Variant> variants, Action<string> announce)
    {
        foreach (Variant variant in variants)
        {
            announce(variant.Name);
            _loaded.Add(new LoadedVariant(variant, _checkpoint));
        }
    }
}
