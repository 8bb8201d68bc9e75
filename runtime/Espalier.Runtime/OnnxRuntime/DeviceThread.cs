using System.Runtime.ExceptionServices;

namespace Espalier.OnnxRuntime;

/// <summary>One thread of the operating system for all runs that a device captures and replays: ONNX Runtime keeps what it captured by thread.</summary>
/// <remarks>Thread-safe: callers take turns, and wait for their work. A background thread, made at the first use, that ends with the process. Nothing managed is allocated by a call.</remarks>
internal sealed class DeviceThread(string name)
{
    private readonly Lock _turn = new();
    private readonly SemaphoreSlim _begin = new(0);
    private readonly SemaphoreSlim _end = new(0);
    private Thread? _thread;
    private Action? _work;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Runs something on the thread, and returns when it has ended.</summary>
    /// <exception cref="Exception">What it threw.</exception>
    public void Run(Action work)
    {
        if (ReferenceEquals(Thread.CurrentThread, _thread))
        {
            work();
            return;
        }

        ExceptionDispatchInfo? failure;
        lock (_turn)
        {
            _thread ??= Start();
            _work = work;
            _begin.Release();
            _end.Wait();
            (failure, _failure) = (_failure, null);
        }

        failure?.Throw();
    }

    private Thread Start()
    {
        var thread = new Thread(Loop) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    private void Loop()
    {
        while (true)
        {
            _begin.Wait();
            try
            {
                _work!();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }

            _work = null;
            _end.Release();
        }
    }
}
