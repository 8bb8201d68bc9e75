using System.Diagnostics;
using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

/// <summary>What the real library answers where a part of CUDA is missing, and what users are told. Copies of the library stand in folders of their own, since it looks for the provider beside itself.</summary>
public sealed unsafe class CudaFailureTests
{
    private const string ProviderFile = "libonnxruntime_providers_cuda.so";
    private const string SharedFile = "libonnxruntime_providers_shared.so";

    [LinuxFact]
    public void WithoutTheProvidersLibraryThePackageIsNamed()
    {
        using var folder = new TemporaryFolder();
        foreach (string answer in Ask(folder.Path))
        {
            Assert.Contains("No such file", answer, StringComparison.Ordinal);
            AssertRemedy(answer, "Microsoft.ML.OnnxRuntime.Gpu", "-p:OnnxRuntime=Gpu");
        }
    }

    [LinuxFact]
    public void AFileThatIsNoLibraryIsSaidToBeBroken()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, ProviderFile), "no library");
        File.WriteAllText(Path.Combine(folder.Path, SharedFile), "no library either");
        foreach (string answer in Ask(folder.Path))
        {
            AssertRemedy(answer, "cannot be used", "one version of the package");
        }
    }

    [CompilerFact]
    public void AnotherLibraryUnderThatNameIsSaidToBeBroken()
    {
        using var folder = new TemporaryFolder();
        Compile(folder.Path, SharedFile, "void Provider_SetHost(void* host) {} void* Provider_GetHost() { return 0; }");
        Compile(folder.Path, ProviderFile, "int nothing() { return 0; }");
        foreach (string answer in Ask(folder.Path))
        {
            Assert.Contains("undefined symbol", answer, StringComparison.Ordinal);
            AssertRemedy(answer, "cannot be used", "one version of the package");
        }
    }

    [CompilerFact]
    public void WithoutALibraryOfCudaTheToolkitIsNamed()
    {
        using var folder = new TemporaryFolder();
        Compile(folder.Path, SharedFile, "void Provider_SetHost(void* host) {} void* Provider_GetHost() { return 0; }");
        Compile(folder.Path, "libcublasLt.so.12", "int nothing() { return 0; }", "-Wl,-soname,libcublasLt.so.12");
        Compile(folder.Path, ProviderFile, "int nothing(); int something() { return nothing(); }", "-L" + folder.Path, "-l:libcublasLt.so.12");
        File.Delete(Path.Combine(folder.Path, "libcublasLt.so.12"));
        foreach (string answer in Ask(folder.Path))
        {
            Assert.Contains("libcublasLt.so.12", answer, StringComparison.Ordinal);
            AssertRemedy(answer, "CUDA and cuDNN versions");
        }
    }

    // The function that registers the arena of a GPU, by its slot and arguments, asked for one of the CPU. For a GPU whose provider is missing it ends the process, so that it is called behind the options, which say so first.
    [LinuxFact]
    public void AnArenaIsRegisteredByTheFunctionThatRegistersThatOfAGpu()
    {
        using var folder = new TemporaryFolder();
        string core = Path.Combine(folder.Path, "libonnxruntime.so.1");
        File.Copy(OnnxRuntimeLibrary.Path, core);
        OrtApi api = OnnxRuntimeImage.Open(core, folder.Path, OnnxRuntimeImage.FileNames()).Api;
        nint threading;
        nint environment;
        nint onHost;
        nint configuration;
        Assert.Equal(0, api.CreateThreadingOptions(&threading));
        fixed (byte* name = "test\0"u8, key = "arena_extend_strategy\0"u8, cpu = "CPUExecutionProvider\0"u8)
        {
            const int Fatal = 4;
            Assert.Equal(0, api.CreateEnvWithGlobalThreadPools(Fatal, name, threading, &environment));
            Assert.Equal(0, api.CreateCpuMemoryInfo((int)OrtAllocatorType.Arena, 0, &onHost));
            nuint value = 1;
            byte* keys = key;
            Assert.Equal(0, api.CreateArenaCfgV2(&keys, &value, 1, &configuration));
            Assert.Equal(0, api.CreateAndRegisterAllocatorV2(environment, cpu, onHost, configuration, null, null, 0));
            api.ReleaseArenaCfg(configuration);
            api.ReleaseMemoryInfo(onHost);
            api.ReleaseEnv(environment);
            api.ReleaseThreadingOptions(threading);
        }
    }

    // No GPU has given these answers here: they are the words of ONNX Runtime's and CUDA's sources.
    [Theory]
    [InlineData("CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0 ; hostname=x", "nvidia-smi")]
    [InlineData("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1", "nvidia-smi")]
    [InlineData("the provider's library was loaded and finds 0 NVIDIA GPUs, so that there is none of number 0", "nvidia-smi")]
    [InlineData("LoadLibrary failed with error 126 \"\" when trying to load onnxruntime_providers_cuda.dll which depends on \"cudnn64_9.dll\" which is missing. error: cudnn64_9.dll", "CUDA and cuDNN versions")]
    public void TheDriverAndTheGpuAreNamed(string answer, string remedy) => AssertRemedy(answer, remedy);

    [Theory]
    [InlineData("CUDA failure 2: out of memory ; GPU=0", true)]
    [InlineData("Non-zero status code returned while running FusedMatMul node. Failed to allocate memory for requested buffer of size 4194304", true)]
    [InlineData("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", true)]
    [InlineData("CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED", false)]
    public void MemoryThatRanOutIsToldFromOtherFailures(string answer, bool isMemory)
    {
        EspalierException? explained = CudaFailure.Explain("CUDAExecutionProvider", new OrtException(OrtErrorCode.Fail, answer, "run the session"));
        Assert.Equal(isMemory, explained is DeviceMemoryException);
        Assert.Equal(isMemory, explained is not null);
    }

    [Fact]
    public void TheProviderIsToldWhatItNeeds()
    {
        Dictionary<string, string> options = CudaOptions.Of(3, captures: true).ToDictionary();
        Assert.Equal("3", options["device_id"]);
        Assert.Equal("1", options["enable_cuda_graph"]);
        Assert.Equal("0", options["use_tf32"]);
        Assert.Equal("1", options["enable_skip_layer_norm_strict_mode"]);
        Assert.Equal("0", CudaOptions.Of(0, captures: false).ToDictionary()["enable_cuda_graph"]);

        // What is captured may not share memory with anybody.
        Assert.Contains(CudaOptions.SessionEntries(captures: true), static entry => entry.Key.AsSpan().SequenceEqual("session.use_env_allocators\0"u8) && entry.Value[0] == (byte)'0');
        Assert.DoesNotContain(CudaOptions.SessionEntries(captures: false), static entry => entry.Key.AsSpan().SequenceEqual("session.use_env_allocators\0"u8));
    }

    [Fact]
    public void TheProvidersLibraryIsLookedForBesideTheCore()
    {
        string file = Path.Combine(Path.DirectorySeparatorChar + "somewhere", "core");
        Assert.Equal(Path.GetDirectoryName(file), Path.GetDirectoryName(CudaStream.LibraryFile(file)));
        Assert.Equal("", Path.GetDirectoryName(CudaStream.LibraryFile("libonnxruntime.so.1")));
    }

    private static void AssertRemedy(string answer, params string[] words)
    {
        ExecutionProviderNotAvailableException error = CudaFailure.Unavailable("CUDAExecutionProvider", new OrtException(OrtErrorCode.Fail, answer, "register the CUDA provider's library"));
        Assert.Contains(answer.Trim(), error.Message, StringComparison.Ordinal);
        Assert.Contains("Device.Cpu", error.Message, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }

    /// <summary>What a copy of the library in a folder says when it is asked for the provider: by its options, and by its file.</summary>
    private static string[] Ask(string folder)
    {
        string core = Path.Combine(folder, "libonnxruntime.so.1");
        File.Copy(OnnxRuntimeLibrary.Path, core);
        OrtApi api = OnnxRuntimeImage.Open(core, folder, OnnxRuntimeImage.FileNames()).Api;
        nint threading;
        nint environment;
        nint options;
        Assert.Equal(0, api.CreateThreadingOptions(&threading));
        Assert.Equal(0, api.SetGlobalIntraOpNumThreads(threading, 1));
        fixed (byte* name = "test\0"u8, device = "device_id\0"u8, zero = "0\0"u8)
        {
            // Only what is fatal is logged: what fails here is meant to.
            const int Fatal = 4;
            Assert.Equal(0, api.CreateEnvWithGlobalThreadPools(Fatal, name, threading, &environment));
            Assert.Equal(0, api.CreateCudaProviderOptions(&options));
            byte* key = device;
            byte* value = zero;
            string byOptions = Message(api, api.UpdateCudaProviderOptions(options, &key, &value, 1));
            nint path = Marshal.StringToCoTaskMemUTF8(CudaStream.LibraryFile(core));
            string byFile = Message(api, api.RegisterExecutionProviderLibrary(environment, name, (void*)path));
            Marshal.FreeCoTaskMem(path);
            api.ReleaseCudaProviderOptions(options);
            api.ReleaseEnv(environment);
            api.ReleaseThreadingOptions(threading);
            return [byOptions, byFile];
        }
    }

    private static string Message(OrtApi api, nint status)
    {
        Assert.NotEqual(0, status);
        string message = Marshal.PtrToStringUTF8((nint)api.GetErrorMessage(status))!;
        api.ReleaseStatus(status);
        return message;
    }

    private static void Compile(string folder, string file, string source, params string[] arguments)
    {
        string code = Path.Combine(folder, Path.GetFileNameWithoutExtension(file) + ".c");
        File.WriteAllText(code, source);
        using Process process = Process.Start(CompilerFactAttribute.Compiler!, ["-shared", "-fPIC", "-o", Path.Combine(folder, file), code, .. arguments]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
