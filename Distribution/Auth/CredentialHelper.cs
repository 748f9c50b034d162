using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>Asks a <c>docker-credential-NAME</c> program.</summary>
internal static class CredentialHelper
{
    private const int MaxOutputChars = 64 * 1024;

    /// <summary>The credential, or null where the helper has none.</summary>
    /// <exception cref="ImageStoreException">The helper is missing or fails.</exception>
    public static async Task<Credential?> GetAsync(
        string name, string host, RegistryOptions options, CancellationToken ct)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(s_nameCharacters))
        {
            throw Failed(name, "its name has characters that are not allowed", null);
        }

        using var deadline = new CancellationTokenSource(options.CredentialHelperTimeout, options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        using var process = Start(name);
        try
        {
            await AskAsync(process, host, linked.Token).ConfigureAwait(false);
            var output = await ReadAsync(process.StandardOutput, linked.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(linked.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? Parse(name, output)
                : output.Contains("credentials not found", StringComparison.OrdinalIgnoreCase) ? null
                : throw Failed(name, $"it ended with code {process.ExitCode}", null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Failed(name, "it did not answer in time", null);
        }
        catch (IOException e)
        {
            throw Failed(name, "it wrote too much", e);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static async Task AskAsync(Process process, string host, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.WriteAsync(host.AsMemory(), ct).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or answers without having read: what it says and its exit code tell.
        }
    }

    private static readonly System.Buffers.SearchValues<char> s_nameCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static Process Start(string name)
    {
        var start = new ProcessStartInfo($"docker-credential-{name}")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add("get");
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw Failed(name, "it cannot be started", e);
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken ct)
    {
        var buffer = new char[MaxOutputChars];
        var length = await reader.ReadBlockAsync(buffer, ct).ConfigureAwait(false);
        return length < MaxOutputChars ? new string(buffer, 0, length) : throw new IOException("Too much output.");
    }

    private static Credential Parse(string name, string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            return Credential.Of(
                json.RootElement.GetProperty("Username").GetString()!, json.RootElement.GetProperty("Secret").GetString()!);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // The output holds the secret, and so may the cause.
            throw Failed(name, "its answer is not understood", null);
        }
    }

    private static ImageStoreException Failed(string name, string why, Exception? cause) => new(
        ErrorKind.FailedPrecondition,
        $"The credential helper docker-credential-{Printable.Of(name)} failed: {why}.",
        "Install or correct it, or remove it from the docker config.",
        cause);
}
