using System.Buffers;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Runtime.Shims;

/// <summary>Reads the fifos into which shims log, all of them on one thread, which begins with the first.</summary>
/// <param name="tell">Is told each line.</param>
internal sealed partial class ShimLogs(Action<string> tell) : IDisposable
{
    private const uint OwnerOnly = 0x180; // 0600
    private const short Readable = 1; // POLLIN
    private const int Forever = -1;
    private const int Again = 4; // EINTR
    private const int Exists = 17;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Log> _logs = new(StringComparer.Ordinal);
    private readonly List<Log> _left = [];
    private readonly AnonymousPipeServerStream _wake = new(PipeDirection.Out);
    private Thread? _thread;
    private bool _isDone;

    /// <summary>Reads a log from now on; the fifo is made where it is not there.</summary>
    /// <param name="path">The fifo.</param>
    /// <param name="name">Whose, as it is told.</param>
    /// <exception cref="ImageStoreException">It cannot be made or opened.</exception>
    public void Add(string path, string name)
    {
        if (MakeFifo(path, OwnerOnly) != 0 && Marshal.GetLastPInvokeError() is not Exists and var errno)
        {
            throw IoErrors.FromErrno(errno, $"Making the log {Printable.Of(path)}");
        }

        SafeFileHandle file;
        try
        {
            // For both, so that it does not end whenever no shim has it open.
            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening the log {Printable.Of(path)}");
        }

        lock (_gate)
        {
            Leave(path);
            _logs[path] = new Log(file, name);
            if (_thread is null)
            {
                _thread = new Thread(ReadAll) { IsBackground = true, Name = "shim logs" };
                _thread.Start();
            }

            _wake.WriteByte(0);
        }
    }

    /// <summary>Reads it no more.</summary>
    public void Remove(string path)
    {
        lock (_gate)
        {
            Leave(path);
            _wake.WriteByte(0);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDone)
            {
                return;
            }

            _isDone = true;
            _wake.WriteByte(0);
        }

        _thread?.Join();
        _wake.Dispose();
    }

    // Descriptors are closed here alone: nobody else can have their numbers while the kernel looks at them.
    private void ReadAll()
    {
        var woken = new SafeFileHandle(_wake.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        var piece = new byte[ShimLimits.LogLineBytes];
        while (Current() is { } logs)
        {
            var waiting = new PollEntry[logs.Count + 1];
            waiting[0] = new PollEntry { File = (int)woken.DangerousGetHandle(), Wanted = Readable };
            for (var i = 0; i < logs.Count; i++)
            {
                waiting[i + 1] = new PollEntry { File = (int)logs[i].File.DangerousGetHandle(), Wanted = Readable };
            }

            if (Poll(waiting, (nuint)waiting.Length, Forever) < 0 && Marshal.GetLastPInvokeError() is not Again and var errno)
            {
                // More logs than descriptors are allowed, or no memory: both may pass.
                tell($"logs of shims cannot be read: {Marshal.GetPInvokeErrorMessage(errno)}");
                Thread.Sleep(s_pause);
                continue;
            }

            if (waiting[0].Found != 0)
            {
                Read(woken, piece, (nuint)piece.Length);
            }

            for (var i = 0; i < logs.Count; i++)
            {
                if (waiting[i + 1].Found != 0 && Read(logs[i].File, piece, (nuint)piece.Length) is var read && read > 0)
                {
                    logs[i].Take(piece.AsSpan(0, (int)read), tell);
                }
            }
        }
    }

    /// <summary>The logs to read; null when there is nothing to do any more.</summary>
    private List<Log>? Current()
    {
        lock (_gate)
        {
            if (_isDone)
            {
                _left.AddRange(_logs.Values);
                _logs.Clear();
            }

            _left.ForEach(log => log.File.Dispose());
            _left.Clear();
            return _isDone ? null : [.. _logs.Values];
        }
    }

    private void Leave(string path)
    {
        if (_logs.Remove(path, out var log))
        {
            _left.Add(log);
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll([In, Out] PollEntry[] entries, nuint count, int timeout);

    // .NET reads only what can be sought in by a handle alone.
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, [Out] byte[] bytes, nuint count);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int File;
        public short Wanted;
        public short Found;
    }

    private sealed class Log(SafeFileHandle file, string name)
    {
        private readonly ArrayBufferWriter<byte> _line = new();

        public SafeFileHandle File => file;

        public void Take(ReadOnlySpan<byte> bytes, Action<string> tell)
        {
            foreach (var one in bytes)
            {
                if (one != '\n')
                {
                    _line.Write([one]);
                }

                if (_line.WrittenCount > 0 && (one == '\n' || _line.WrittenCount == ShimLimits.LogLineBytes))
                {
                    tell($"{name}: {Printable.Of(Encoding.UTF8.GetString(_line.WrittenSpan))}");
                    _line.Clear();
                }
            }
        }
    }
}
