using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Store.Errors;
using Process = System.Diagnostics.Process;

namespace ImageStore.Runtime.Shims;

/// <summary>Runs a shim's program for a bundle, which begins the shim or cleans up after it.</summary>
internal sealed class ShimInvocation(ShimCaller caller)
{
    private const int ReadBytes = 4096;

    // What was meant for this process alone.
    private static readonly string[] s_ownVariables = ["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"];

    /// <summary>Begins the shim of a container, or finds that of its group.</summary>
    /// <param name="program">The shim.</param>
    /// <param name="folder">The bundle.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="id">The container.</param>
    /// <param name="options">The runtime's options, or null.</param>
    /// <param name="cancellationToken">Kills the program.</param>
    /// <exception cref="ImageStoreException">It fails; the message has what it said.</exception>
    public async Task<ShimAddress> StartAsync(
        string program, string folder, string @namespace, string id, Any? options, CancellationToken cancellationToken) => ShimAddress.Parse(
        await RunAsync(program, folder, @namespace, id, ["start"], options?.ToByteArray() ?? [], ShimLimits.Start, cancellationToken)
            .ConfigureAwait(false));

    /// <summary>Has the program kill and remove what a shim that is gone has left of a container.</summary>
    /// <exception cref="ImageStoreException">It fails.</exception>
    public async Task<DeleteResponse> DeleteAsync(string program, string folder, string @namespace, string id)
    {
        var answer = await RunAsync(program, folder, @namespace, id, ["-bundle", folder, "delete"], [], ShimLimits.CleanUp, CancellationToken.None)
            .ConfigureAwait(false);
        try
        {
            return DeleteResponse.Parser.ParseFrom(answer);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw Failed(program, "delete", "its answer is no message", malformed);
        }
    }

    private async Task<byte[]> RunAsync(
        string program, string folder, string @namespace, string id, string[] action, byte[] input, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        using var process = Begin(program, folder, @namespace, id, action);
        try
        {
            var output = ReadAsync(process.StandardOutput.BaseStream, timeout.Token);
            var errors = ReadAsync(process.StandardError.BaseStream, timeout.Token);
            await WriteAsync(process, input, timeout.Token).ConfigureAwait(false);
            var answer = await output.ConfigureAwait(false);
            var said = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? answer : throw Failed(program, action[^1], Said(said.Length > 0 ? said : answer, process.ExitCode), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(program, action[^1], $"it did not end within {limit.TotalSeconds:0} s", null);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private Process Begin(string program, string folder, string @namespace, string id, string[] action)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        string[] arguments = ["-namespace", @namespace, "-address", caller.Address, "-publish-binary", Environment.ProcessPath ?? string.Empty, "-id", id, .. action];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var own in s_ownVariables)
        {
            start.Environment.Remove(own);
        }

        start.Environment["TTRPC_ADDRESS"] = caller.EventsAddress;
        start.Environment["GRPC_ADDRESS"] = caller.Address;
        start.Environment["NAMESPACE"] = @namespace;
        start.Environment["MAX_SHIM_VERSION"] = "2";
        start.Environment["GOMAXPROCS"] = "2";
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw IoErrors.FromErrno(failure.NativeErrorCode, $"Running {Printable.Of(program)}", failure);
        }
    }

    private static async Task WriteAsync(Process process, byte[] input, CancellationToken cancellationToken)
    {
        try
        {
            var stream = process.StandardInput.BaseStream;
            await stream.WriteAsync(input, cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // A program that does not read says by its code how it ended.
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var content = new MemoryStream();
        var piece = new byte[ReadBytes];
        while (await stream.ReadAsync(piece, cancellationToken).ConfigureAwait(false) is var read && read > 0)
        {
            // What is over the limit is read, so that the program can end, and not kept.
            content.Write(piece, 0, (int)Math.Min(read, ShimLimits.AnswerBytes - content.Length));
        }

        return content.ToArray();
    }

    private static string Said(byte[] text, int code) =>
        text.Length > 0 ? Printable.Of(System.Text.Encoding.UTF8.GetString(text).Trim()) : $"it ended with {code}";

    private static ImageStoreException Failed(string program, string action, string why, Exception? inner) => new(
        ErrorKind.Unavailable, $"{Printable.Of(Path.GetFileName(program))} {action} failed: {why}", null, inner);
}
