using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>One <c>config.json</c> or <c>auth.json</c> that is changed: what is not ours in it stays, and a crash leaves the old one or
/// the new one.</summary>
internal sealed class CredentialFile
{
    private const string Auths = "auths";
    private const int MaxLinks = 8;

    private readonly JsonObject _root;

    private CredentialFile(string path, JsonObject root) => (Path, _root) = (path, root);

    public string Path { get; }

    /// <summary>Reads <paramref name="path"/>; one that is missing is empty.</summary>
    /// <exception cref="ImageStoreException">It is malformed or cannot be read.</exception>
    public static CredentialFile Open(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return new CredentialFile(path, []);
            }

            var text = SmallFile.ReadText(path, CredentialStore.MaxFileBytes);
            var root = string.IsNullOrWhiteSpace(text)
                ? []
                : JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                    ?? throw CredentialStore.Malformed(path, null);
            return new CredentialFile(path, root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw CredentialStore.Malformed(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(e, Printable.Of(path));
        }
    }

    /// <summary>The helper that keeps the secrets of <paramref name="key"/>; null where the file itself does.</summary>
    public string? HelperOf(string key) =>
        Text((_root["credHelpers"] as JsonObject)?[key]) ?? Text(_root["credsStore"]);

    /// <summary>Puts a secret in, or where a helper has it an empty entry, as docker does.</summary>
    public void Put(string key, Credential? credential)
    {
        if (_root[Auths] is not JsonObject auths)
        {
            _root[Auths] = auths = [];
        }

        auths[key] = credential switch
        {
            null => [],
            { IdentityToken: { } token } => new JsonObject { ["identitytoken"] = token },
            _ => new JsonObject
            {
                ["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")),
            },
        };
    }

    /// <summary>Takes out what it has for any of <paramref name="hosts"/>.</summary>
    /// <returns>Was there anything?</returns>
    public bool Remove(IReadOnlyList<string> hosts)
    {
        if (_root[Auths] is not JsonObject auths)
        {
            return false;
        }

        var found = auths.Select(entry => entry.Key).Where(key => hosts.Any(host => CredentialStore.Same(key, host))).ToList();
        found.ForEach(key => auths.Remove(key));
        return found.Count > 0;
    }

    /// <summary>Writes it, for its owner's eyes only.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public void Save()
    {
        var target = Real(Path);
        var buffer = new ArrayBufferWriter<byte>();

        // Docker's own habit, so that a diff of the file shows what changed.
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, IndentCharacter = '\t', IndentSize = 1 }))
        {
            _root.WriteTo(writer);
        }

        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!, WholeFile.Private | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(e, $"Writing {Printable.Of(target)}");
        }

        WholeFile.Write(target, buffer.WrittenSpan, WholeFile.Private);
    }

    // Many people keep the file elsewhere and a link in its place, which stays one.
    private static string Real(string path)
    {
        var real = System.IO.Path.GetFullPath(path);
        for (var hop = 0; hop < MaxLinks && new FileInfo(real).LinkTarget is { } next; hop++)
        {
            real = System.IO.Path.GetFullPath(next, System.IO.Path.GetDirectoryName(real)!);
        }

        return real;
    }

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
