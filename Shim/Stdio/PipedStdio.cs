using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>A process on pipes, from and to which is copied.</summary>
internal sealed class PipedStdio : ProcessStdio
{
    private readonly EventLoop _loop;
    private readonly Copier _copier;
    private readonly List<SafeFileHandle> _child = [];
    private readonly List<(SafeFileHandle Source, SafeFileHandle Target)> _outputs = [];
    private readonly List<IDisposable> _open = [];
    private readonly SafeFileHandle? _inputEnd;
    private readonly Input? _input;
    private Task _drained = Task.CompletedTask;

    /// <summary>Opens everything.</summary>
    /// <param name="loop">Where it is copied.</param>
    /// <param name="copier">Copies.</param>
    /// <param name="request">What is asked for; not a terminal.</param>
    /// <param name="uid">Who owns the pipes, so that the process can open them anew by <c>/dev/stdout</c>.</param>
    /// <param name="gid">Its group.</param>
    public PipedStdio(EventLoop loop, Copier copier, StdioRequest request, uint uid, uint gid)
    {
        (_loop, _copier) = (loop, copier);
        try
        {
            if (request.Stdin.Length > 0)
            {
                _input = Input.Open(loop, request.Stdin);
                (var read, _inputEnd) = Pipe(uid, gid);
                _child.Add(read);
            }
            else
            {
                _child.Add(Nothing());
            }

            var stdout = LogUri.Parse(request.Stdout);
            AddOutput(request.Stdout.Length > 0 ? stdout : null, uid, gid);

            // A log file is for both, whatever is said of the second.
            AddOutput(stdout.Scheme == LogUri.File ? stdout : request.Stderr.Length > 0 ? LogUri.Parse(request.Stderr) : null, uid, gid);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SafeFileHandle> Child => _child;

    /// <inheritdoc/>
    public override Task Drained => _drained;

    /// <inheritdoc/>
    public override Task BeginAsync(CancellationToken cancellation)
    {
        CloseChild();
        _drained = Task.WhenAll(_outputs.Select(output => CopyAsync(Watched(output.Source), Watched(output.Target))).ToList());
        _outputs.Clear();
        if (_input is not null)
        {
            _ = CopyInputAsync(_input, Watched(_inputEnd!));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override void CloseInput() => _input?.Close();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        CloseChild();
        _outputs.ForEach(output =>
        {
            output.Source.Dispose();
            output.Target.Dispose();
        });
        _open.ForEach(watch => watch.Dispose());
        _input?.Dispose();
        _inputEnd?.Dispose();
        base.Dispose(disposing);
    }

    private static SafeFileHandle Nothing() => Descriptors.Open("/dev/null", Descriptors.ReadWrite);

    private static (SafeFileHandle Read, SafeFileHandle Write) Pipe(uint uid, uint gid)
    {
        var pipe = Descriptors.Pipe();
        if (uid != 0 || gid != 0)
        {
            Descriptors.Own(pipe.Read, uid, gid);
        }

        return pipe;
    }

    private void AddOutput(LogUri? uri, uint uid, uint gid)
    {
        if (uri is null)
        {
            _child.Add(Nothing());
            return;
        }

        var target = OutputTarget.Open(uri);
        var (read, write) = Pipe(uid, gid);
        _child.Add(write);
        _outputs.Add((read, target));
    }

    private Watch Watched(SafeFileHandle file)
    {
        var watch = _loop.Add(file);
        _open.Add(watch);
        return watch;
    }

    private async Task CopyAsync(Watch source, Watch target)
    {
        await _copier.CopyOutputAsync(source, target, CancellationToken.None).ConfigureAwait(false);
        source.Dispose();
        target.Dispose();
    }

    private async Task CopyInputAsync(Input input, Watch target)
    {
        await _copier.CopyInputAsync(input.Source, target).ConfigureAwait(false);
        target.Dispose();
        input.Dispose();
    }

    private void CloseChild()
    {
        _child.ForEach(handle => handle.Dispose());
        _child.Clear();
    }
}
