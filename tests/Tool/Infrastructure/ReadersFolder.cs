using Espalier.Tool;

namespace Espalier.Tests;

/// <summary>The root of the repository as a reader of the pages has it, to write into: the samples, and on PATH the tool and the sample program as they were built.</summary>
internal sealed class ReadersFolder : IDisposable
{
    private static readonly string Configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;

    private readonly TemporaryFolder _folder = new();

    public ReadersFolder()
    {
        Directory.CreateSymbolicLink(_folder["samples"], RepositoryFolder.Combine("samples"));
        Directory.CreateDirectory(_folder["path"]);
        Program("espalier", $"exec \"{ChildProcess.DotnetHost}\" \"{typeof(ToolCommands).Assembly.Location}\" \"$@\"");

        // In place of a build that was made already.
        string shapes = RepositoryFolder.Combine("samples", "Shapes", "bin", Configuration, "net10.0", "Shapes.dll");
        Assert.True(File.Exists(shapes), $"{shapes} was not built.");
        Program("dotnet", $$"""
            case "$*" in
              "run --project samples/Shapes -c Release -- "*) shift 6; exec "{{ChildProcess.DotnetHost}}" "{{shapes}}" "$@" ;;
              *) echo "no such command on this page: dotnet $*"; exit 64 ;;
            esac
            """);
    }

    public string Root => _folder.Path;

    public string this[string path] => _folder[path];

    /// <summary>Runs the commands of a document here.</summary>
    /// <param name="document">The document, from the root of the repository.</param>
    /// <param name="isRun">Which commands are run; all if null.</param>
    public Task<int> Run(string document, Func<string, bool>? isRun = null) => DocumentedCommands.Run(document, _folder.Path, new Dictionary<string, string?>(), isRun);

    public void Dispose() => _folder.Dispose();

    private void Program(string name, string script)
    {
        File.WriteAllText(_folder["path/" + name], "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder["path/" + name], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }
}
