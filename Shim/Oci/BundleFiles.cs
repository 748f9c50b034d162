using System.Globalization;
using System.Text;
using System.Text.Json;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Oci;

/// <summary>The files that containerd's shims leave in a bundle, by which their <c>delete</c> knows what to do.</summary>
internal sealed class BundleFiles(string bundle)
{
    private const int LargestBytes = 1 << 20;
    private const int LongestNumber = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Where the bundle is.</summary>
    public string Path => bundle;

    /// <summary>Where the container's root is mounted.</summary>
    public string Rootfs => At("rootfs");

    /// <summary>Where the runtime writes the first process's id.</summary>
    public string InitPid => At("init.pid");

    /// <summary>Where the runtime writes what it has to say.</summary>
    public string Log => At("log.json");

    /// <summary>What outlives the container: containerd's link into its root.</summary>
    public string Work => At("work");

    /// <summary>Writes the options and, beside them, the runtime's name alone.</summary>
    /// <remarks>The options' JSON names are those of the message's fields.</remarks>
    public void WriteOptions(Options options)
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

        Write(At("options.json"), json.ToArray());
        Write(At("runtime"), Encoding.UTF8.GetBytes(options.BinaryName));
    }

    /// <summary>Of the options those by which a container is deleted; the defaults where none were written.</summary>
    /// <exception cref="ImageStoreException">The file is no JSON.</exception>
    public Options ReadOptions()
    {
        var options = new Options();
        var json = BoundedFile.TryRead(At("options.json"), LargestBytes);
        try
        {
            using var document = JsonDocument.Parse(json ?? "{}"u8.ToArray());
            options.BinaryName = Text(document, "binary_name");
            options.Root = Text(document, "root");
            options.SystemdCgroup = document.RootElement.TryGetProperty("systemd_cgroup", out var value) && value.ValueKind == JsonValueKind.True;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new ImageStoreException(ErrorKind.CorruptData, $"{At("options.json")} is malformed: {malformed.Message}", inner: malformed);
        }

        return options;
    }

    /// <summary>The process id in a file; null where there is no such file or no number in it.</summary>
    public static int? ReadPid(string path) =>
        BoundedFile.TryRead(path, LongestNumber) is { } text
        && int.TryParse(text.AsSpan().Trim(" \n"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0
            ? pid : null;

    /// <summary>Writes a file that only its owner reads.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(content);
    }

    private static string Text(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;

    private string At(string name) => System.IO.Path.Combine(bundle, name);
}
