using System.Text;
using System.Text.Json;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Oci;

/// <summary>The options of a container, which a shim leaves for <c>delete</c> in the bundle.</summary>
/// <remarks>Their JSON names are those of the message's fields, as containerd's shims write them.</remarks>
internal static class BundleOptions
{
    private const int LargestBytes = 1 << 20;

    /// <summary>Writes them and, beside them, the runtime's name alone.</summary>
    public static void Write(BundleFiles files, Options options)
    {
        var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("no_pivot_root", options.NoPivotRoot);
            writer.WriteBoolean("no_new_keyring", options.NoNewKeyring);
            writer.WriteString("shim_cgroup", options.ShimCgroup);
            writer.WriteNumber("io_uid", options.IoUid);
            writer.WriteNumber("io_gid", options.IoGid);
            writer.WriteString("binary_name", options.BinaryName);
            writer.WriteString("root", options.Root);
            writer.WriteBoolean("systemd_cgroup", options.SystemdCgroup);
            writer.WriteString("criu_image_path", options.CriuImagePath);
            writer.WriteString("criu_work_path", options.CriuWorkPath);
            writer.WriteEndObject();
        }

        // Whole or not there: a shim that is killed here must not keep `delete` from what it can do.
        WholeFile.Write(files.Options, json.ToArray(), WholeFile.Private);
        WholeFile.Write(files.Runtime, Encoding.UTF8.GetBytes(options.BinaryName), WholeFile.Private);
    }

    /// <summary>Of the options those by which a container is deleted; the defaults where none were written.</summary>
    /// <exception cref="ImageStoreException">The file is no JSON.</exception>
    public static Options Read(BundleFiles files)
    {
        var options = new Options();
        var json = BoundedFile.TryRead(files.Options, LargestBytes);
        try
        {
            using var document = JsonDocument.Parse(json ?? "{}"u8.ToArray());
            options.BinaryName = Text(document, "binary_name");
            options.Root = Text(document, "root");
            options.SystemdCgroup = document.RootElement.TryGetProperty("systemd_cgroup", out var value) && value.ValueKind == JsonValueKind.True;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new ImageStoreException(ErrorKind.CorruptData, $"{files.Options} is malformed: {malformed.Message}", inner: malformed);
        }

        return options;
    }

    private static string Text(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;
}
