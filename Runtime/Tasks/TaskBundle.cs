using System.Globalization;
using System.Text.Json;
using ImageStore.Runtime.Mounts;
using ImageStore.Runtime.Shims;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Runtime.Tasks;

/// <summary>The bundle of a task, where its shim works; it has what finds the shim again.</summary>
/// <remarks>Its files are containerd's: <c>config.json</c>, <c>rootfs</c>, <c>work</c>, <c>log</c>, <c>bootstrap.json</c>, <c>shim-binary-path</c>.</remarks>
internal sealed class TaskBundle
{
    private const int LargestFile = 64 << 10;
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;
    private const UnixFileMode Traversable = OwnerFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private TaskBundle(string folder, string @namespace, string id) => (Folder, Namespace, Id) = (folder, @namespace, id);

    /// <summary>Where it is, absolute.</summary>
    public string Folder { get; }

    /// <summary>The namespace.</summary>
    public string Namespace { get; }

    /// <summary>The container.</summary>
    public string Id { get; }

    /// <summary>The fifo into which the shim logs.</summary>
    public string Log => Path.Combine(Folder, "log");

    private string Rootfs => Path.Combine(Folder, "rootfs");

    private string Bootstrap => Path.Combine(Folder, "bootstrap.json");

    private string LegacyAddress => Path.Combine(Folder, "address");

    private string Program => Path.Combine(Folder, "shim-binary-path");

    /// <summary>Makes it; after a failure nothing of it is left.</summary>
    /// <param name="state">Where the bundles of all namespaces are.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="id">The container.</param>
    /// <param name="program">Its shim.</param>
    /// <param name="spec">The bytes of <c>config.json</c>.</param>
    /// <exception cref="ImageStoreException">The disk refuses, or the specification is malformed.</exception>
    public static TaskBundle Create(string state, string @namespace, string id, string program, byte[] spec)
    {
        var bundle = Of(state, @namespace, id);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(bundle.Folder)!, Traversable);
            Directory.CreateDirectory(bundle.Folder, OwnerFolder);
            try
            {
                OpenToMappedRoot(bundle.Folder, spec);
                Directory.CreateDirectory(bundle.Rootfs, Traversable);
                Directory.CreateDirectory(Path.Combine(bundle.Folder, "work"), OwnerFolder);
                Write(bundle.Program, System.Text.Encoding.UTF8.GetBytes(program));
                Write(Path.Combine(bundle.Folder, "config.json"), spec);
                return bundle;
            }
            catch
            {
                bundle.Remove();
                throw;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Making the bundle {Printable.Of(bundle.Folder)}");
        }
    }

    /// <summary>The bundle of that name, or null where there is none.</summary>
    public static TaskBundle? Find(string state, string @namespace, string id) =>
        Of(state, @namespace, id) is var bundle && Directory.Exists(bundle.Folder) ? bundle : null;

    /// <summary>Those that are there.</summary>
    public static IEnumerable<TaskBundle> All(string state) => Directory.Exists(state)
        ? Directory.EnumerateDirectories(state)
            .SelectMany(tenant => Directory.EnumerateDirectories(tenant).Select(folder => Of(state, Path.GetFileName(tenant), Path.GetFileName(folder))))
            .Where(bundle => Identifier.IsOne(bundle.Namespace) && Identifier.IsOne(bundle.Id))
        : [];

    /// <summary>Keeps where the shim listens.</summary>
    public void Keep(ShimAddress address) => Write(Bootstrap, address.ToJson());

    /// <summary>Where its shim listens; null where none has said.</summary>
    /// <exception cref="ImageStoreException">What it has there is no address.</exception>
    public ShimAddress? Address() => (TryRead(Bootstrap) ?? TryRead(LegacyAddress)) is { Length: > 0 } kept ? ShimAddress.Parse(kept) : null;

    /// <summary>The shim's program, or null.</summary>
    public string? ProgramKept() => TryRead(Program) is { Length: > 0 } kept ? System.Text.Encoding.UTF8.GetString(kept) : null;

    /// <summary>Removes it, after all that is mounted in it.</summary>
    /// <exception cref="ImageStoreException">The kernel refuses.</exception>
    public void Remove()
    {
        try
        {
            if (Directory.Exists(Folder))
            {
                MountPoints.DetachBelow(Folder);

                // Alone, and not what is in it: should something be mounted there still, it is not ours to delete.
                if (Directory.Exists(Rootfs))
                {
                    Directory.Delete(Rootfs);
                }

                Directory.Delete(Folder, recursive: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Removing the bundle {Printable.Of(Folder)}");
        }
    }

    private static TaskBundle Of(string state, string @namespace, string id) => new(Path.Combine(state, @namespace, id), @namespace, id);

    // Root of a user namespace is nobody out here, and has to get to its rootfs.
    private static void OpenToMappedRoot(string folder, byte[] spec)
    {
        if (MappedGroup(spec) is { } group)
        {
            using var above = OpenAt.HostDirectory(Path.GetDirectoryName(folder)!);
            using var inode = OpenAt.Inode(above, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(folder) + '\0'))
                ?? throw KernelError.Last($"open '{Printable.Of(folder)}'");
            InodeChange.Own(inode, uint.MaxValue, group, Printable.Of(folder));
            File.SetUnixFileMode(folder, OwnerFolder | UnixFileMode.GroupExecute);
        }
    }

    /// <summary>The machine's number of the group 0 of the container's user namespace; null where it has none of its own.</summary>
    private static uint? MappedGroup(byte[] spec)
    {
        try
        {
            using var json = JsonDocument.Parse(spec);
            if (json.RootElement.TryGetProperty("linux", out var linux) && linux.ValueKind == JsonValueKind.Object
                && linux.TryGetProperty("gidMappings", out var maps) && maps.ValueKind == JsonValueKind.Array)
            {
                foreach (var map in maps.EnumerateArray())
                {
                    if (map.GetProperty("containerID").GetUInt32() == 0)
                    {
                        return map.GetProperty("hostID").GetUInt32();
                    }
                }
            }

            return null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                string.Create(CultureInfo.InvariantCulture, $"The container's specification is malformed: {Printable.Of(malformed.Message)}"),
                "It is JSON as the OCI runtime specification says.",
                malformed);
        }
    }

    private static void Write(string path, byte[] content)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerFile });
        file.Write(content);
    }

    private static byte[]? TryRead(string path) => File.Exists(path) && new FileInfo(path).Length <= LargestFile ? File.ReadAllBytes(path) : null;
}
