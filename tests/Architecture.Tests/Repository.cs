using System.Xml.Linq;

namespace ImageStore.Architecture.Tests;

/// <summary>The source tree that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] s_skipped = ["artifacts", ".git", ".imagestore", "bin", "obj"];

    public static string Root { get; } = FindRoot();

    /// <summary>The product's projects, by folder.</summary>
    public static IReadOnlyList<string> Projects { get; } =
    [
        .. Directory.EnumerateDirectories(Root).Select(Path.GetFileName).OfType<string>()
            .Where(folder => File.Exists(ProjectFile(folder))).Order(StringComparer.Ordinal),
    ];

    /// <summary>Every C# file below <paramref name="folder"/>, relative to the root.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split('/').Any(s_skipped.Contains));

    /// <summary>The folders of the projects that <paramref name="project"/> refers to.</summary>
    public static IEnumerable<string> ReferencesOf(string project) =>
        XDocument.Load(ProjectFile(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    /// <summary>Where a project's assembly is, beside this one.</summary>
    public static string Assembly(string project) =>
        Path.Combine(AppContext.BaseDirectory, project switch
        {
            "Cli" => "imagestore.dll",
            "Daemon" => "imagestored.dll",
            "Shim" => "containerd-shim-imagestore-v1.dll",
            _ => $"ImageStore.{project}.dll",
        });

    private static string ProjectFile(string folder) => Path.Combine(Root, folder, folder + ".csproj");

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "ImageStore.sln")))
        {
            directory = Path.GetDirectoryName(directory)
                ?? throw new InvalidOperationException("These tests run from a build in the source tree.");
        }

        return directory;
    }
}
