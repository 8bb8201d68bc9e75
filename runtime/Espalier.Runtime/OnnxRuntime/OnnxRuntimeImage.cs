using System.Globalization;
using System.Runtime.InteropServices;

namespace Espalier.OnnxRuntime;

/// <summary>One loaded file of ONNX Runtime: where it is, what version it is, and its functions. Never unloaded: its threads may still run.</summary>
internal sealed unsafe class OnnxRuntimeImage
{
    /// <summary>The environment variable that names the library to use instead of any other.</summary>
    public const string Variable = "ESPALIER_ONNXRUNTIME";

    private const string Remedy = $"Build the application with the package's build targets, which put the library beside it, or set {Variable} to the path of a libonnxruntime of version 1.30 or later.";

    private static readonly Lock Gate = new();
    private static OnnxRuntimeImage? _loaded;

    private OnnxRuntimeImage(string path, string version, OrtApi api)
    {
        Path = path;
        Version = version;
        Api = api;
    }

    /// <summary>The file, or the bare name if the operating system's loader found it.</summary>
    public string Path { get; }

    /// <summary>The version that the library reports, for example <c>1.30.0</c>.</summary>
    public string Version { get; }

    /// <summary>The library's functions.</summary>
    public OrtApi Api { get; }

    /// <summary>The process's library; the first use loads it. A failure is not remembered: the next use tries again.</summary>
    public static OnnxRuntimeImage Loaded
    {
        get
        {
            lock (Gate)
            {
                return _loaded ??= Open(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory, FileNames());
            }
        }
    }

    /// <summary>Finds and loads the library: the named file and no other; else beside the application; else its <c>runtimes/&lt;rid&gt;/native</c>; else where the operating system looks.</summary>
    /// <param name="named">The value of <see cref="Variable"/>; null or empty if it is not set.</param>
    /// <param name="applicationFolder">The folder of the application.</param>
    /// <param name="names">The names that the file may have, as <see cref="FileNames"/> gives them.</param>
    public static OnnxRuntimeImage Open(string? named, string applicationFolder, ReadOnlySpan<string> names)
    {
        if (!string.IsNullOrEmpty(named))
        {
            string file = System.IO.Path.GetFullPath(named);
            if (!File.Exists(file))
            {
                throw new OnnxRuntimeNotFoundException($"The environment variable {Variable} names '{file}', which does not exist. Set it to a libonnxruntime of version 1.30 or later, or unset it to use the library beside the application.");
            }

            return Bind(LoadFile(file), file, OrtApi.Version);
        }

        var tried = new List<string>();
        foreach (string folder in (ReadOnlySpan<string>)[applicationFolder, System.IO.Path.Combine(applicationFolder, "runtimes", RuntimeIdentifier(), "native")])
        {
            foreach (string name in names)
            {
                string file = System.IO.Path.Combine(folder, name);
                if (File.Exists(file))
                {
                    return Bind(LoadFile(file), file, OrtApi.Version);
                }

                tried.Add(file);
            }
        }

        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                return Bind(library, name, OrtApi.Version);
            }

            tried.Add(name + " (the system's library path)");
        }

        throw new OnnxRuntimeNotFoundException($"ONNX Runtime's native library was not found. {Remedy} Tried: {string.Join(", ", tried)}.");
    }

    /// <summary>Takes the function table of a loaded library.</summary>
    /// <param name="library">The library, from <see cref="NativeLibrary"/>.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="apiVersion">The version of the table to ask for.</param>
    public static OnnxRuntimeImage Bind(nint library, string path, uint apiVersion)
    {
        if (!NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint getApiBase))
        {
            throw new OnnxRuntimeNotFoundException($"'{path}' is a native library, but not ONNX Runtime: it does not export OrtGetApiBase. {Remedy}");
        }

        // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t); const char* (*GetVersionString)(); }
        nint* apiBase = ((delegate* unmanaged[Cdecl]<nint*>)getApiBase)();
        string version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged[Cdecl]<byte*>)apiBase[1])()) ?? "";

        // Asked by its version first, because an older library also complains on standard error about the table.
        nint* table = IsOlder(version, apiVersion) ? null : ((delegate* unmanaged[Cdecl]<uint, nint*>)apiBase[0])(apiVersion);
        if (table is null)
        {
            throw new OnnxRuntimeVersionException($"'{path}' is ONNX Runtime {version}; Espalier needs 1.{apiVersion} or later. {Remedy}", path, version);
        }

        return new OnnxRuntimeImage(path, version, new OrtApi(table));
    }

    /// <summary>The names of the library on this system, preferred first.</summary>
    public static string[] FileNames()
    {
        if (OperatingSystem.IsWindows())
        {
            return ["onnxruntime.dll"];
        }

        return OperatingSystem.IsMacOS() ? ["libonnxruntime.1.dylib", "libonnxruntime.dylib"] : ["libonnxruntime.so.1", "libonnxruntime.so"];
    }

    private static nint LoadFile(string file)
    {
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new OnnxRuntimeNotFoundException($"'{file}' exists, but the operating system cannot load it ({e.Message.TrimEnd()}). It may be for another processor or system, or lack a library that it needs. {Remedy}", e);
        }
    }

    private static bool IsOlder(string version, uint apiVersion)
    {
        // Versions are 1.<api version>.<patch>; what does not look like that is left to GetApi.
        string[] parts = version.Split('.');
        return parts.Length >= 2 && parts[0] == "1"
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
            && minor < apiVersion;
    }

    // Composed here, because RuntimeInformation.RuntimeIdentifier is "debian.12-x64" where a distribution built .NET.
    private static string RuntimeIdentifier()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }
}
