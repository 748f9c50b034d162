using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
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
        var (code, output) = await RunAsync(name, "get", host, options, ct).ConfigureAwait(false);
        return code == 0 ? Parse(name, output)
            : output.Contains("credentials not found", StringComparison.OrdinalIgnoreCase) ? null
            : throw Ended(name, code);
    }

    /// <summary>Has the helper keep <paramref name="credential"/>.</summary>
    /// <exception cref="ImageStoreException">The helper is missing or fails.</exception>
    public static async Task StoreAsync(
        string name, string host, Credential credential, RegistryOptions options, CancellationToken ct)
    {
        var entry = new JsonObject
        {
            ["ServerURL"] = host,
            ["Username"] = credential.IdentityToken is null ? credential.Username : Credential.TokenUser,
            ["Secret"] = credential.IdentityToken ?? credential.Password,
        };
        var (code, _) = await RunAsync(name, "store", entry.ToJsonString(), options, ct).ConfigureAwait(false);
        if (code != 0)
        {
            throw Ended(name, code);
        }
    }

    /// <summary>Has the helper forget what it has.</summary>
    /// <exception cref="ImageStoreException">The helper is missing or fails.</exception>
    public static async Task EraseAsync(string name, string host, RegistryOptions options, CancellationToken ct)
    {
        var (code, _) = await RunAsync(name, "erase", host, options, ct).ConfigureAwait(false);
        if (code != 0)
        {
            throw Ended(name, code);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(
        string name, string verb, string input, RegistryOptions options, CancellationToken ct)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(s_nameCharacters))
        {
            throw Failed(name, "its name has characters that are not allowed", null);
        }

        using var deadline = new CancellationTokenSource(options.CredentialHelperTimeout, options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        using var process = Start(name, verb);
        try
        {
            await AskAsync(process, input, linked.Token).ConfigureAwait(false);
            var output = await ReadAsync(process.StandardOutput, linked.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(linked.Token).ConfigureAwait(false);
            return (process.ExitCode, output);
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

    private static async Task AskAsync(Process process, string input, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), ct).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or answers without having read: what it says and its exit code tell.
        }
    }

    private static readonly System.Buffers.SearchValues<char> s_nameCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static Process Start(string name, string verb)
    {
        var start = new ProcessStartInfo($"docker-credential-{name}")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(verb);
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

    private static ImageStoreException Ended(string name, int code) => Failed(name, $"it ended with code {code}", null);

    private static ImageStoreException Failed(string name, string why, Exception? cause) => new(
        ErrorKind.FailedPrecondition,
        $"The credential helper docker-credential-{Printable.Of(name)} failed: {why}.",
        "Install or correct it, or remove it from the docker config.",
        cause);
}
